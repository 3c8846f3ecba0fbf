// A real authorization server (npm `oidc-provider`) on the loopback, which signs everybody in as somebody at once, and what
// stands before it: a gate that can be told to answer otherwise, as a malicious or mistaken server would.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

export const CLIENT = { id: 'heddle', secret: 'a-secret-of-the-operator' };

// Starts one. `person` is who signs in there, `lifetime` how many seconds an access token lasts.
export const start = async ({ person = 'ada', lifetime = 3600 } = {}) => {
  const gate = { seen: [], change: undefined, person };
  let callback;
  const server = createServer(async (request, response) => {
    const body = [];
    for await (const piece of request) body.push(piece);
    const url = new URL(request.url, 'http://gate');
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(body).toString()));
    gate.seen.push({ method: request.method, path: url.pathname, form, authorization: request.headers.authorization });
    const instead = await gate.change?.({ method: request.method, path: url.pathname, form, url });
    if (instead) {
      response.writeHead(instead.status ?? 200, { 'content-type': 'application/json', ...instead.headers });
      response.end(typeof instead.body === 'string' ? instead.body : JSON.stringify(instead.body ?? {}));
      return;
    }
    // The body was read here already; the provider takes it from there.
    request.body = form;
    callback(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;

  const provider = new Provider(issuer, {
    clients: [{
      client_id: CLIENT.id, client_secret: CLIENT.secret, token_endpoint_auth_method: 'client_secret_basic',
      // Native: on the loopback any port will do.
      application_type: 'native', redirect_uris: ['http://localhost:3000/cb', 'http://127.0.0.1/auth/integrations/oauth_callback'],
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    }],
    features: { devInteractions: { enabled: false }, revocation: { enabled: true }, userinfo: { enabled: true } },
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access', 'email', 'looms:read', 'looms:write'],
    claims: { openid: ['sub'], email: ['email'] },
    ttl: { AccessToken: () => lifetime, AuthorizationCode: 60, RefreshToken: 86400, Grant: 86400, Session: 86400, IdToken: 3600, Interaction: 600 },
    rotateRefreshToken: true,
    issueRefreshToken: async (ctx, client, code) => code.scopes.has('offline_access'),
    findAccount: async (ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, email: `${sub}@looms.example` }) }),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['a key of this test'] },
  });
  // Whoever comes is signed in and allows everything, without a page.
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    const grant = new provider.Grant({ accountId: gate.person, clientId: details.params.client_id });
    if (details.params.scope) grant.addOIDCScope(details.params.scope);
    const result = { login: { accountId: gate.person }, consent: { grantId: await grant.save() } };
    ctx.respond = false;
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
  });
  callback = provider.callback();

  const file = (more = {}) => [
    'title: Looms', 'base_url: https://api.looms.example', 'credentials:', '  oauth2: {header: Authorization, prefix: "Bearer "}', 'oauth:',
    `  authorize: ${issuer}/auth`, `  token: ${issuer}/token`, `  revoke: {url: "${issuer}/token/revocation"}`,
    '  scopes: [openid, email, offline_access, "looms:read"]', '  pkce: true', '  client: basic', '  parameters: {prompt: consent}',
    `  issuer: ${issuer}`, '  says_issuer: true', `  account: {url: "${issuer}/me", pointer: /email}`,
    ...Object.entries(more).map(([name, value]) => `  ${name}: ${value}`), '',
  ].join('\n');
  return { issuer, gate, file, stop: () => { server.close(); server.closeAllConnections(); } };
};

// A browser without a screen: follows redirects with cookies until it is sent to `to`; where it was sent.
export const follow = async (url, to, jar = new Map()) => {
  for (let hops = 0; hops < 20; hops += 1) {
    const { origin } = new URL(url);
    const cookies = [...(jar.get(origin) ?? new Map()).values()].join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: cookies ? { cookie: cookies } : {} });
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair] = cookie.split(';');
      if (!jar.has(origin)) jar.set(origin, new Map());
      jar.get(origin).set(pair.split('=')[0], pair);
    }
    const location = answer.headers.get('location');
    if (!location) throw new Error(`${url} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    url = new URL(location, url).href;
    if (url.startsWith(to)) return new URL(url);
  }
  throw new Error('no end of redirects');
};
