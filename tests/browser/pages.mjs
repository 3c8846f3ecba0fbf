// Pages that are there whatever was done before. A new one is a line here: who looks, the path, the picture's name, and
// what its content security policy has more than headers.txt.
import { asking } from './stage.mjs';

const PAGES = [
  ['nobody', '/', 'start'],
  ['nobody', '/login', 'login', asking],
  ['nobody', '/signup', 'signup'],
  ['nobody', '/reset-password', 'reset'],
  ['ada', '/', 'start-signed-in'],
  ['ada', '/library', 'library-empty'],
  ['ada', '/settings/profile', 'profile'],
  ['ada', '/settings/api-keys', 'keys'],
  ['ada', '/settings/security', 'security', asking],
  ['ada', '/settings/integrations', 'integrations-none'],
  ['ada', '/settings/applications', 'connected-none'],
  ['ada', '/settings/oauth-apps', 'own-apps-empty'],
  ['nobody', '/marketplace', 'marketplace-empty'],
  ['root', '/admin/accounts', 'accounts'],
  ['root', '/admin/server', 'server'],
];

export default async function pages(stage) {
  const people = { nobody: await stage.person() };
  for (const [who, path, what, policy] of PAGES) {
    people[who] ??= await stage.member(who);
    await stage.visit(people[who], path, what, { policy });
  }
}
