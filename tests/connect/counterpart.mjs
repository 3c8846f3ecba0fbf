// The provider of provider.mjs, told what to do by lines of JSON on stdin; each is answered by one on stdout.
import { createInterface } from 'node:readline';
import { follow, start } from './provider.mjs';

const { issuer, gate, file } = await start();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

// Ways to answer otherwise. Each is asked before the provider is.
const kept = {};
const jwt = (token, change) => {
  const [head, claims, signature] = token.split('.');
  const read = JSON.parse(Buffer.from(claims, 'base64url'));
  return [head, Buffer.from(JSON.stringify({ ...read, ...change })).toString('base64url'), signature].join('.');
};
// What the provider itself would have said at its token endpoint.
const asked = async (form, authorization) => {
  const { change } = gate;
  gate.change = undefined;
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST', body: new URLSearchParams(form),
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
  });
  gate.change = change;
  return answer.json();
};
const authorization = () => gate.seen.at(-1).authorization;
const answers = (make) => async ({ path, form }) => (path === '/token' ? { body: await make(await asked(form, authorization())) } : undefined);
const ways = {
  'itself': undefined,
  'keeps its answer': answers((body) => Object.assign(kept, { body }).body),
  'gives the answer it kept': async ({ path }) => (path === '/token' ? { body: kept.body } : undefined),
  'gives the access token it kept': answers((body) => ({ ...body, access_token: kept.body.access_token })),
  'gives the ID token it kept': answers((body) => ({ ...body, id_token: kept.body.id_token })),
  'names another issuer in the ID token': answers((body) => ({ ...body, id_token: jwt(body.id_token, { iss: 'https://evil.example' }) })),
  'names another client in the ID token': answers((body) => ({ ...body, id_token: jwt(body.id_token, { aud: 'them' }) })),
  'names no nonce in the ID token': answers((body) => ({ ...body, id_token: jwt(body.id_token, { nonce: undefined }) })),
  'gives an ID token that is over': answers((body) => ({ ...body, id_token: jwt(body.id_token, { exp: 1 }) })),
  'gives tokens of another type': answers((body) => ({ ...body, token_type: 'DPoP' })),
  'gives no access token': answers(({ access_token, ...body }) => body),
  'sends the code elsewhere': async ({ path }) => (path === '/token' ? { status: 307, headers: { location: `${issuer}/thief` } } : undefined),
  'is down': async ({ path }) => (path === '/token' ? { status: 503 } : undefined),
};

say({ issuer, file: file() });
for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...more } = JSON.parse(line);
  switch (act) {
    case 'follow':
      say(await follow(more.url, more.to).then((url) => ({ query: Object.fromEntries(url.searchParams) }), (error) => ({ error: String(error) })));
      break;
    case 'be':
      if (!(more.way in ways)) throw new Error(`no such way: ${more.way}`);
      gate.change = ways[more.way];
      say({});
      break;
    case 'person':
      gate.person = more.name;
      say({});
      break;
    case 'seen':
      say({ seen: gate.seen.splice(0) });
      break;
    default:
      throw new Error(`what? ${line}`);
  }
}
process.exit(0);
