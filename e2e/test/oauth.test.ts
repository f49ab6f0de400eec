/** API clients log in with ordinary OAuth 2.0 libraries, in TypeScript and in Python, as an integrator would use them. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createPayFlowX, type PayFlowX } from '@payflowx/client';
import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  clientCredentialsGrant,
  PrivateKeyJwt,
} from 'openid-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { readDemo } from '../src/platform.ts';
import { pythonWith } from '../src/python.ts';

const { gateway, users } = readDemo();
const endpoint = `${gateway}/v1/auth/token`;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let client: { id: string; secret: string };

beforeAll(async () => {
  const admin = users.find(({ roles }) => roles.includes('admin'));
  const alice = users.find(({ username }) => username === 'alice');
  if (!admin || !alice) throw new Error('The demo has no admin, or no alice.');
  const api: PayFlowX = createPayFlowX({ gateway, as: admin });
  const body = { name: 'OAuth', user_id: alice.id, scopes: ['accounts:read', 'payments:read'] as never };
  const { data } = await api.post('/v1/api-clients', { body });
  client = { id: data.client.id, secret: data.client_secret ?? '' };
  const jwk = publicKey.export({ format: 'jwk' }) as never;
  await api.post('/v1/api-clients/{id}/keys', { params: { path: { id: client.id } }, body: { jwk } });
});

describe('openid-client', () => {
  function configured(auth: ClientAuth) {
    const config = new Configuration(
      { issuer: gateway, token_endpoint: endpoint },
      client.id,
      undefined,
      auth,
    );
    allowInsecureRequests(config);
    return config;
  }

  async function webKey() {
    const der = privateKey.export({ format: 'der', type: 'pkcs8' });
    return crypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  }

  it.each<[string, () => Promise<ClientAuth>]>([
    ['client_secret_post', async () => ClientSecretPost(client.secret)],
    ['client_secret_basic', async () => ClientSecretBasic(client.secret)],
    ['private_key_jwt', async () => PrivateKeyJwt(await webKey())],
  ])('logs in with %s', async (_, auth) => {
    const tokens = await clientCredentialsGrant(configured(await auth()), { scope: 'accounts:read' });
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'accounts:read' });
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    expect((await fetch(`${gateway}/v1/accounts`, { headers })).status).toBe(200);
    expect((await fetch(`${gateway}/v1/payments`, { headers })).status).toBe(403);
  });

  it('understands the errors', async () => {
    const wrong = clientCredentialsGrant(configured(ClientSecretPost('wrong')));
    await expect(wrong).rejects.toMatchObject({ status: 401 });
    const scope = clientCredentialsGrant(configured(ClientSecretPost(client.secret)), {
      scope: 'rules:write',
    });
    await expect(scope).rejects.toMatchObject({ error: 'invalid_scope', status: 400 });
  });

  it('and @payflowx/client work with the same key', async () => {
    const api = createPayFlowX({ gateway, as: { clientId: client.id, privateKey: await webKey() } });
    expect((await api.get('/v1/accounts')).response.status).toBe(200);
  });
});

const AUTHLIB = `
import sys, time
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

endpoint, accounts, client, secret = sys.argv[1:5]
key = sys.stdin.read()
for method in ("client_secret_basic", "client_secret_post", "private_key_jwt"):
    session = OAuth2Session(client, secret if method != "private_key_jwt" else key, token_endpoint_auth_method=method)
    if method == "private_key_jwt":
        session.register_client_auth_method(PrivateKeyJWT(endpoint, alg="ES256", claims={"exp": int(time.time()) + 60}))
    token = session.fetch_token(endpoint, grant_type="client_credentials", scope="accounts:read")
    assert token["scope"] == "accounts:read", token
    assert session.get(accounts).status_code == 200
    print(method)
`;

it('authlib of Python logs in with a secret and with a key', async () => {
  const python = await pythonWith('authlib-1.6.5', ['authlib==1.6.5', 'requests==2.32.5']);
  const input = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const args = ['-c', AUTHLIB, endpoint, `${gateway}/v1/accounts`, client.id, client.secret];
  const { status, stdout, stderr } = spawnSync(python, args, {
    input,
    encoding: 'utf8',
    env: { ...process.env, AUTHLIB_INSECURE_TRANSPORT: '1' },
  });
  expect(status, stderr).toBe(0);
  expect(stdout.trim().split('\n')).toEqual(['client_secret_basic', 'client_secret_post', 'private_key_jwt']);
});
