/** API clients that log in with a key pair (private_key_jwt, RFC 7523). */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { createDecoder } from 'fast-jwt';
import { base64url, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteExpiredAssertions } from '../src/store/client-keys.ts';
import {
  AUDIENCES,
  type AuthServer,
  type AuthWithUsers,
  asOwner,
  refusal,
  startAuth,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const refusedAssertion = { code: status.UNAUTHENTICATED, reason: 'INVALID_CLIENT_ASSERTION' };
const refusedCredentials = { code: status.UNAUTHENTICATED, reason: 'INVALID_CREDENTIALS' };
let auth: AuthWithUsers;
let second: AuthServer;
let tokens: Awaited<ReturnType<typeof tokensOf>>;
let userId: string;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  second = await startAuth(auth.database);
  tokens = await tokensOf(auth);
  userId = createDecoder()(tokens.customer).sub;
});
afterAll(async () => {
  await second?.stop();
  await auth?.stop();
});

const asAdmin = () => ({ deadlineMs, accessToken: tokens.admin });

interface Pair {
  publicKey: KeyObject;
  privateKey: KeyObject;
}
const ec = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = (): Pair => generateKeyPairSync('ed25519');
const rsa = (modulusLength = 2048): Pair => generateKeyPairSync('rsa', { modulusLength });

const jwkOf = (key: KeyObject, more: object = {}) =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more });

async function newClient(scopes = ['payments:read', 'accounts:read']): Promise<string> {
  const wanted = { requestId: '', name: 'Till', userId, scopes };
  return (await auth.client.createApiClient(wanted, asAdmin())).client?.id ?? '';
}

const addKey = (clientId: string, publicJwk: string) =>
  auth.client.addApiClientKey({ clientId, publicJwk }, asAdmin());

/** A client with a key, and a function that signs assertions with it. */
async function clientWithKey({ privateKey, publicKey }: Pair = ec(), alg = 'ES256') {
  const id = await newClient();
  const { key } = await addKey(id, jwkOf(publicKey));
  return { id, kid: key?.kid ?? '', sign: signerFor(id, privateKey, alg) };
}

const nowS = () => Math.floor(Date.now() / 1000);

/** Signs good claims, changed by the test. Undefined claims are left out. */
function signerFor(id: string, privateKey: KeyObject, alg = 'ES256') {
  return (claims: object = {}, header: object = {}) => {
    const good = { iss: id, sub: id, aud: AUDIENCES[0], iat: nowS(), exp: nowS() + 60, jti: randomUUID() };
    return new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg, ...header }).sign(privateKey);
  };
}

const login = (clientAssertion: string, { at = auth as AuthServer, clientId = '', scope = '' } = {}) =>
  at.client.loginClient({ clientId, clientSecret: '', clientAssertion, scope }, { deadlineMs });

describe('an assertion', () => {
  it.each<[string, () => Pair, string]>([
    ['P-256', ec, 'ES256'],
    ['Ed25519', ed25519, 'EdDSA'],
    ['Ed25519 under its newer name', ed25519, 'Ed25519'],
    ['RSA', rsa, 'RS256'],
    ['RSA-PSS', rsa, 'PS256'],
  ])('that is signed with %s gives a token with the scopes of the client', async (_, pair, alg) => {
    const { id, kid, sign } = await clientWithKey(pair(), alg);
    const answer = await login(await sign({}, { kid }), { clientId: id });
    expect(answer).toMatchObject({ tokenType: 'Bearer', scope: 'accounts:read payments:read' });
    expect(createDecoder()(answer.accessToken)).toMatchObject({ sub: userId, client_id: id });
  });

  it('may name the platform or its token endpoint, with and without the kid and the client_id', async () => {
    const { id, sign } = await clientWithKey();
    await login(await sign({ aud: AUDIENCES[1] }));
    await login(await sign({ aud: [AUDIENCES[1], AUDIENCES[0]] }), { clientId: id });
  });

  it('is accepted once, by any instance', async () => {
    const { sign } = await clientWithKey();
    const assertion = await sign();
    await login(assertion);
    const again = await refusal(login(assertion, { at: second }));
    expect(again).toMatchObject({ ...refusedAssertion, message: expect.stringContaining('used before') });
    // Another signature with the same jti is a copy too.
    const jti = 'same';
    await login(await sign({ jti }));
    expect(await refusal(login(await sign({ jti, exp: nowS() + 90 })))).toMatchObject(refusedAssertion);
  });

  it('has one winner of many concurrent uses at two instances', async () => {
    const { sign } = await clientWithKey();
    const assertion = await sign();
    const uses = Array.from({ length: 12 }, (_, index) =>
      login(assertion, { at: index % 2 ? second : auth }),
    );
    const outcomes = await Promise.allSettled(uses);
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  it('of one client does not use up the jti of another', async () => {
    const [one, two] = [await clientWithKey(), await clientWithKey()];
    await login(await one.sign({ jti: 'shared' }));
    await login(await two.sign({ jti: 'shared' }));
  });

  it.each<[string, object, string]>([
    ['for another audience', { aud: 'https://evil.example/v1/auth/token' }, 'needs the aud'],
    ['for several audiences', { aud: [AUDIENCES[0], 'https://evil.example'] }, 'needs the aud'],
    ['for no audience', { aud: undefined }, 'needs the aud'],
    ['for an empty list of audiences', { aud: [] }, 'needs the aud'],
    ['that has expired', { iat: nowS() - 200, exp: nowS() - 90 }, 'has expired'],
    ['that is valid for too long', { exp: nowS() + 3600 }, 'valid for too long'],
    ['that was valid for too long', { iat: nowS() - 3600 }, 'valid for too long'],
    ['without an end', { exp: undefined }, 'iat and exp'],
    ['without a beginning', { iat: undefined }, 'iat and exp'],
    ['from the future', { iat: nowS() + 120, exp: nowS() + 200 }, 'in the future'],
    ['that begins later', { nbf: nowS() + 200 }, 'in the future'],
    ['without a jti', { jti: undefined }, 'needs a jti'],
    ['with a jti that is no text', { jti: 7 }, 'needs a jti'],
    ['of two clients', { sub: 'cli_other' }, 'as iss and as sub'],
  ])('%s is refused, and the error says why', async (_, claims, message) => {
    const { sign } = await clientWithKey();
    expect(await refusal(login(await sign(claims)))).toMatchObject({
      ...refusedAssertion,
      message: expect.stringContaining(message),
    });
  });

  it('of another client than client_id, or together with a secret, is refused', async () => {
    const { sign, id } = await clientWithKey();
    expect(await refusal(login(await sign(), { clientId: 'cli_other' }))).toMatchObject(refusedAssertion);
    const both = { clientId: id, clientSecret: 's', clientAssertion: await sign(), scope: '' };
    expect(await refusal(auth.client.loginClient(both, { deadlineMs }))).toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });

  it('that is forged gets the same error as one of a client that does not exist', async () => {
    const { id, kid } = await clientWithKey();
    const forged = await signerFor(id, ec().privateKey)({}, { kid });
    const stranger = await signerFor('cli_nobody', ec().privateKey)();
    const unknownKey = await (await clientWithKey()).sign({}, { kid: 'unknown' });
    const refused = await refusal(login(forged));
    expect(refused).toMatchObject(refusedCredentials);
    expect(await refusal(login(stranger))).toEqual(refused);
    expect(await refusal(login(unknownKey))).toEqual(refused);
    // A forged assertion does not use up the jti.
    const { id: other, sign } = await clientWithKey();
    const jti = randomUUID();
    await refusal(login(await signerFor(other, ec().privateKey)({ jti })));
    await login(await sign({ jti }));
  });

  it('with an algorithm that its key does not have is refused', async () => {
    const { id, sign } = await clientWithKey();
    const parts = (await sign()).split('.');
    const withHeader = (header: object) =>
      [base64url.encode(JSON.stringify(header)), parts[1], parts[2]].join('.');
    expect(await refusal(login(withHeader({ alg: 'none' })))).toMatchObject(refusedCredentials);
    // The public key as the secret of an HMAC: it is no secret.
    const { keys } = await auth.client.listApiClientKeys({ clientId: id }, asAdmin());
    const secret = new TextEncoder().encode(keys[0]?.publicJwk);
    const claims = { iss: id, sub: id, aud: AUDIENCES[0], iat: nowS(), exp: nowS() + 60, jti: 'h' };
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret);
    expect(await refusal(login(hmac))).toMatchObject(refusedCredentials);
    expect(await refusal(login(`${parts[0]}.${parts[1]}.`))).toMatchObject(refusedCredentials);
    for (const text of ['no jwt', 'a.b.c', '..', 'e30.e30.e30']) {
      expect(await refusal(login(text))).toMatchObject(refusedAssertion);
    }
  });

  it('cannot be an access token of the platform', async () => {
    expect(await refusal(login(tokens.customer))).toMatchObject({
      ...refusedAssertion,
      message: expect.stringContaining('type'),
    });
  });

  it('that was used is forgotten when no copy of it can be valid', async () => {
    const { id, sign } = await clientWithKey();
    await login(await sign());
    const rows = () =>
      auth.db.selectFrom('client_assertions').selectAll().where('client_id', '=', id).execute();
    await deleteExpiredAssertions(auth.db, new Date());
    expect(await rows()).toHaveLength(1);
    await deleteExpiredAssertions(auth.db, new Date(Date.now() + 125_000));
    expect(await rows()).toEqual([]);
  });
});

describe('a narrower scope', () => {
  it('is given to a client that asks for it', async () => {
    const { sign } = await clientWithKey();
    expect(await login(await sign(), { scope: 'accounts:read' })).toMatchObject({ scope: 'accounts:read' });
  });

  it('is refused if the client does not have it', async () => {
    const { sign } = await clientWithKey();
    for (const scope of ['payments:write', 'accounts:read everything']) {
      expect(await refusal(login(await sign(), { scope }))).toMatchObject({
        code: status.INVALID_ARGUMENT,
        reason: 'INVALID_SCOPE',
      });
    }
  });
});

describe('a key', () => {
  it('is replaced without a gap: both are valid until the old one is removed', async () => {
    const { id, kid, sign } = await clientWithKey();
    const next = ed25519();
    await addKey(id, jwkOf(next.publicKey, { kid: 'next' }));
    const signNext = signerFor(id, next.privateKey, 'EdDSA');
    await login(await sign());
    await login(await signNext({}, { kid: 'next' }));
    await auth.client.removeApiClientKey({ clientId: id, kid }, asAdmin());
    expect(await refusal(login(await sign()))).toMatchObject(refusedCredentials);
    await login(await signNext());
    const again = auth.client.removeApiClientKey({ clientId: id, kid }, asAdmin());
    expect(await refusal(again)).toMatchObject({ code: status.NOT_FOUND, reason: 'CLIENT_KEY_NOT_FOUND' });
  });

  it('has its thumbprint as id, or the one that it brings; the same key twice is one', async () => {
    const id = await newClient();
    const { publicKey } = ec();
    const first = await addKey(id, jwkOf(publicKey));
    expect(first.key?.kid).toMatch(/^[\w-]{43}$/);
    expect((await addKey(id, jwkOf(publicKey))).key).toMatchObject({
      kid: first.key?.kid,
      createdAt: first.key?.createdAt,
    });
    await addKey(id, jwkOf(publicKey, { kid: 'mine' }));
    expect(await refusal(addKey(id, jwkOf(ec().publicKey, { kid: 'mine' })))).toMatchObject({
      code: status.ALREADY_EXISTS,
      reason: 'CLIENT_KEY_EXISTS',
    });
    const { keys } = await auth.client.listApiClientKeys({ clientId: id }, asAdmin());
    expect(keys.map(({ kid }) => kid)).toEqual([first.key?.kid, 'mine']);
    expect(JSON.parse(keys[1]?.publicJwk ?? '')).toEqual({
      ...publicKey.export({ format: 'jwk' }),
      kid: 'mine',
      use: 'sig',
    });
  });

  it.each<[string, () => string, string]>([
    ['a private one', () => jwkOf(ec().privateKey), 'private members'],
    ['a short RSA one', () => jwkOf(rsa(1024).publicKey), '2048 to 4096 bits'],
    [
      'one of another curve',
      () => jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey),
      'EC with P-256',
    ],
    ['one for agreement', () => jwkOf(generateKeyPairSync('x25519').publicKey), 'EC with P-256'],
    ['a shared secret', () => JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' }), 'private members'],
    [
      'a point that is not on the curve',
      () => jwkOf(ec().publicKey, { y: jwkX(ec().publicKey) }),
      'not a valid key',
    ],
    ['one for encryption', () => jwkOf(ec().publicKey, { use: 'enc' }), 'for signatures'],
    [
      'one with an algorithm of another type',
      () => jwkOf(ec().publicKey, { alg: 'RS256' }),
      'possible are ES256',
    ],
    ['one with a bad id', () => jwkOf(ec().publicKey, { kid: 'a/b' }), 'kid'],
    ['no JSON', () => 'PEM', 'JSON Web Key'],
    ['a list', () => '[]', 'JSON Web Key'],
  ])('%s is refused', async (_, publicJwk, message) => {
    expect(await refusal(addKey(await newClient(), publicJwk()))).toMatchObject({
      reason: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  it('number six of a client is refused, also if they come at once', async () => {
    const id = await newClient();
    const added = await Promise.allSettled(
      Array.from({ length: 7 }, () => addKey(id, jwkOf(ec().publicKey))),
    );
    expect(added.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(5);
    expect(await refusal(addKey(id, jwkOf(ec().publicKey)))).toMatchObject({
      reason: 'TOO_MANY_CLIENT_KEYS',
    });
  });

  it('of a revoked client, or of a disabled user, is worth nothing', async () => {
    const { id, sign } = await clientWithKey();
    await auth.client.revokeApiClient({ clientId: id }, asAdmin());
    expect(await refusal(login(await sign()))).toMatchObject(refusedCredentials);
    expect(await refusal(addKey(id, jwkOf(ec().publicKey)))).toMatchObject({ reason: 'API_CLIENT_REVOKED' });
    const other = await clientWithKey();
    const setState = (state: 'enabled' | 'disabled') =>
      asOwner(auth.database, (db) =>
        db.updateTable('users').set({ state }).where('id', '=', userId).execute(),
      );
    await setState('disabled');
    expect(await refusal(login(await other.sign()))).toMatchObject(refusedCredentials);
    await setState('enabled');
    await login(await other.sign());
  });

  it('is not found at a client that does not exist', async () => {
    for (const clientId of ['cli_nobody', 'svc_payment', '']) {
      const notFound = { code: status.NOT_FOUND, reason: 'API_CLIENT_NOT_FOUND' };
      expect(await refusal(addKey(clientId, jwkOf(ec().publicKey)))).toMatchObject(notFound);
      expect(await refusal(auth.client.listApiClientKeys({ clientId }, asAdmin()))).toMatchObject(notFound);
    }
  });

  it('leaves records in the audit log', async () => {
    const { id, kid } = await clientWithKey();
    await auth.client.removeApiClientKey({ clientId: id, kid }, asAdmin());
    const filter = { pageSize: 2, pageToken: '', subjectId: id, actorId: '', action: '' };
    const { records } = await auth.client.listIdentityAuditRecords(filter, asAdmin());
    expect(records.map(({ action }) => action)).toEqual(['client.key_removed', 'client.key_added']);
    expect(JSON.parse(records[0]?.detailsJson ?? '')).toMatchObject({ kid, user_id: userId });
  });
});

describe('the secret of a client', () => {
  it('can be removed when the client has a key, and be made again', async () => {
    const wanted = { requestId: '', name: 'Till', userId, scopes: ['accounts:read'] };
    const { client, clientSecret } = await auth.client.createApiClient(wanted, asAdmin());
    const clientId = client?.id ?? '';
    const withSecret = (secret: string) =>
      auth.client.loginClient(
        { clientId, clientSecret: secret, clientAssertion: '', scope: '' },
        { deadlineMs },
      );
    await withSecret(clientSecret);
    const remove = () => auth.client.removeApiClientSecret({ clientId }, asAdmin());
    expect(await refusal(remove())).toMatchObject({ reason: 'CLIENT_KEY_REQUIRED' });

    const { publicKey, privateKey } = ec();
    await addKey(clientId, jwkOf(publicKey));
    await remove();
    await remove();
    expect(await refusal(withSecret(clientSecret))).toMatchObject(refusedCredentials);
    expect(await refusal(withSecret(''))).toMatchObject(refusedCredentials);
    await login(await signerFor(clientId, privateKey)());
    const { clients } = await auth.client.listApiClients({ pageSize: 1, pageToken: '', userId }, asAdmin());
    expect(clients).toMatchObject([{ id: clientId, hasSecret: false }]);
    const made = await auth.client.rotateApiClientSecret({ clientId }, asAdmin());
    await withSecret(made.clientSecret);
  });
});

function jwkX(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x ?? '';
}
