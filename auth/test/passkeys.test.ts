/** Passkeys as second factors: registered, used for logins, and refused, with an authenticator in software. */
import { generateKeyPairSync } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { NeighbourError, unpackParcel } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { IdentityEvent, Role, SecurityChange, type User } from '@payflowx/proto/auth';
import { sql } from 'kysely';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deleteExpiredRegistrations } from '../src/store/passkeys.ts';
import {
  type AuthServer,
  type AuthWithUsers,
  newUserRequest,
  PASSKEYS,
  PASSWORD,
  startAuth,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';
import { type Authenticator, createAuthenticator, SYNCED, TOUCHED } from './authenticator.ts';

const deadlineMs = PATIENCE_MS;
const FIVE_MINUTES = 5 * 60_000;
const invalid = { code: status.UNAUTHENTICATED, reason: 'INVALID_SECOND_FACTOR' };
let auth: AuthWithUsers;
/** On the same database, without passkeys. */
let off: AuthServer;
let adminToken: string;

beforeAll(async () => {
  auth = await startAuthWithUsers({ factorPolicy: ['operator'] });
  off = await startAuth(auth.database, { passkeys: null });
  adminToken = (await tokensOf(auth)).admin;
});
beforeEach(() => auth.stopClockAt(new Date()));
afterAll(async () => {
  await off?.stop();
  await auth?.stop();
});

const as = (accessToken = '') => ({ deadlineMs, accessToken });

async function refusal(call: Promise<unknown>): Promise<NeighbourError> {
  const error = await call.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (error instanceof NeighbourError) return error;
  throw error ?? new Error('The call was not refused.');
}

let made = 0;
async function newUser(role: Role = Role.CUSTOMER): Promise<User & { access: string }> {
  made += 1;
  const wanted = newUserRequest({ username: `passkey-${made}`, roles: [role] });
  const { user } = await auth.client.createUser(wanted, as(adminToken));
  const login = await auth.client.login({ username: wanted.username, password: PASSWORD }, { deadlineMs });
  return { ...(user as User), access: login.tokens?.accessToken ?? '' };
}

const begin = (access: string, name = 'Laptop') =>
  auth.client.createSecondFactor({ kind: 'passkey', name }, as(access));

const confirm = (access: string, factorId: string, passkeyJson: string) =>
  auth.client.confirmSecondFactor({ factorId, code: '', passkeyJson }, as(access));

async function register(access: string, authenticator: Authenticator, name?: string) {
  const { factor, passkeyOptions } = await begin(access, name);
  const factorId = factor?.id ?? '';
  const { recoveryCodes } = await confirm(access, factorId, authenticator.create(passkeyOptions));
  return { factorId, recoveryCodes };
}

async function userWithPasskey(authenticator = createAuthenticator()) {
  const user = await newUser();
  return { ...user, authenticator, ...(await register(user.access, authenticator)) };
}

/** The challenge of a login, and the options of its passkeys. */
async function logIn({ username }: User, at: AuthServer = auth) {
  const { reason, metadata } = await refusal(
    at.client.login({ username, password: PASSWORD }, { deadlineMs }),
  );
  expect(reason).toBe('SECOND_FACTOR_REQUIRED');
  const { challenge = '', methods = '', passkey_options: options = '' } = metadata;
  return { challenge, methods, options };
}

const complete = (challenge: string, passkeyJson: string, at: AuthServer = auth) =>
  at.client.completeLogin({ challenge, code: '', recoveryCode: '', passkeyJson }, { deadlineMs });

const factorsOf = async ({ access }: { access: string }) =>
  (await auth.client.listSecondFactors({}, as(access))).factors;

/** The lines of security events about the user. */
const eventsAbout = ({ id }: User) =>
  auth.logged.filter((line) => line.security_event && line.subject === id);

describe('a passkey', () => {
  it('is needed for logins from its confirmation on, and logs in', async () => {
    const user = await newUser();
    const authenticator = createAuthenticator();
    const { factor, secret, uri, passkeyOptions } = await begin(user.access);
    expect({ secret, uri }).toEqual({ secret: '', uri: '' });
    expect(factor).toMatchObject({ kind: 'passkey', name: 'Laptop', confirmedAt: undefined });
    await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });
    const confirmed = await confirm(user.access, factor?.id ?? '', authenticator.create(passkeyOptions));
    expect(confirmed.recoveryCodes).toHaveLength(10);
    expect(confirmed.factor).toMatchObject({ id: factor?.id, confirmedAt: auth.now() });

    const { challenge, methods, options } = await logIn(user);
    expect(methods).toBe('passkey,recovery_code');
    auth.skip(60_000);
    const { tokens } = await complete(challenge, authenticator.get(options));
    await auth.client.getMe({}, as(tokens?.accessToken));
    expect(await factorsOf(user)).toMatchObject([{ kind: 'passkey', lastUsedAt: auth.now() }]);
  });

  it('has options for the browser that name the platform and the user, and ask for no attestation', async () => {
    const user = await userWithPasskey();
    const creation = JSON.parse((await begin(user.access)).passkeyOptions);
    const known = { type: 'public-key', id: user.authenticator.id, transports: ['internal', 'hybrid'] };
    expect(creation).toMatchObject({
      rp: { id: PASSKEYS.rpId, name: 'PayFlowX' },
      user: { id: Buffer.from(user.id).toString('base64url'), name: user.username },
      attestation: 'none',
      excludeCredentials: [known],
      authenticatorSelection: { userVerification: 'preferred' },
    });
    const { challenge, options } = await logIn(user);
    expect(JSON.parse(options)).toMatchObject({
      rpId: PASSKEYS.rpId,
      challenge,
      allowCredentials: [known],
      userVerification: 'preferred',
    });
  });

  it('is one of several, each with its name, beside an app', async () => {
    const user = await newUser();
    const keys = [createAuthenticator(), createAuthenticator({ flags: TOUCHED })];
    for (const [index, key] of keys.entries()) await register(user.access, key, `Key ${index}`);
    const { factor, secret } = await auth.client.createSecondFactor(
      { kind: 'totp', name: 'Phone' },
      as(user.access),
    );
    const code = () =>
      new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: auth.now().getTime() });
    expect((await logIn(user)).methods).toBe('passkey,recovery_code');
    await auth.client.confirmSecondFactor({ factorId: factor?.id ?? '', code: code() }, as(user.access));
    expect((await factorsOf(user)).map(({ name }) => name)).toEqual(['Key 0', 'Key 1', 'Phone']);
    for (const key of keys) {
      const { challenge, methods, options } = await logIn(user);
      expect(methods).toBe('passkey,totp,recovery_code');
      await complete(challenge, key.get(options));
    }
    auth.skip(30_000);
    const { challenge } = await logIn(user);
    await auth.client.completeLogin({ challenge, code: code(), recoveryCode: '' }, { deadlineMs });
  });

  it('may have an id of 1023 bytes: a login with ten of them still gets its options', async () => {
    const user = await newUser();
    const keys = Array.from({ length: 10 }, () => createAuthenticator({ idBytes: 1_023 }));
    for (const key of keys) await register(user.access, key);
    expect(await refusal(begin(user.access))).toMatchObject({ reason: 'TOO_MANY_SECOND_FACTORS' });
    const { challenge, options } = await logIn(user);
    await complete(challenge, keys[9]?.get(options) ?? '');
    const longer = createAuthenticator({ idBytes: 1_024 });
    const stranger = await newUser();
    expect(await refusal(register(stranger.access, longer))).toMatchObject(invalid);
  });

  it('may be copied between devices, and then counts no logins', async () => {
    const user = await userWithPasskey(createAuthenticator({ counts: false, flags: SYNCED }));
    for (let login = 0; login < 2; login += 1) {
      const { challenge, options } = await logIn(user);
      await complete(challenge, user.authenticator.get(options));
    }
    const stored = auth.db
      .selectFrom('passkeys')
      .select(['sign_count', 'backup_eligible', 'backed_up', 'transports']);
    expect(await stored.where('factor_id', '=', user.factorId).execute()).toEqual([
      { sign_count: 0n, backup_eligible: true, backed_up: true, transports: ['internal', 'hybrid'] },
    ]);
  });

  it('is removed by its user, or by an admin, and recovery codes replace a lost one', async () => {
    const user = await userWithPasskey();
    const { challenge, options } = await logIn(user);
    const recoveryCode = user.recoveryCodes[0] ?? '';
    await auth.client.completeLogin({ challenge, code: '', recoveryCode }, { deadlineMs });
    await register(user.access, createAuthenticator());
    await auth.client.deleteSecondFactor({ factorId: user.factorId }, as(user.access));
    const removed = await logIn(user);
    expect(options).toContain(user.authenticator.id);
    expect(removed.options).not.toContain(user.authenticator.id);
    expect(await refusal(complete(removed.challenge, user.authenticator.get(removed.options)))).toMatchObject(
      invalid,
    );
    await auth.client.deleteUserSecondFactors({ userId: user.id }, as(adminToken));
    await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });
    const left = await auth.db.selectFrom('passkeys').select('factor_id').execute();
    expect(left).not.toContainEqual({ factor_id: user.factorId });
  });

  it('fulfils the role that needs a second factor, and is then not removed as the last one', async () => {
    const user = await newUser(Role.OPERATOR);
    const { factorId } = await register(user.access, createAuthenticator());
    const last = await refusal(auth.client.deleteSecondFactor({ factorId }, as(user.access)));
    expect(last).toMatchObject({ reason: 'LOGIN_TOO_OLD' });
    const { authenticator, ...operator } = {
      authenticator: createAuthenticator(),
      ...(await newUser(Role.OPERATOR)),
    };
    const own = await register(operator.access, authenticator);
    const { challenge, options } = await logIn(operator);
    const { tokens } = await complete(challenge, authenticator.get(options));
    expect(tokens?.restrictedTo).toBe('');
    const removal = auth.client.deleteSecondFactor({ factorId: own.factorId }, as(tokens?.accessToken));
    expect(await refusal(removal)).toMatchObject({ reason: 'LAST_SECOND_FACTOR' });
    expect((await logIn(operator)).methods).toContain('passkey');
  });

  it('is announced to its user and recorded when it is confirmed and removed', async () => {
    const user = await userWithPasskey();
    await auth.client.deleteSecondFactor({ factorId: user.factorId }, as(user.access));
    const filter = { pageSize: 3, pageToken: '', subjectId: user.id, actorId: '', action: '' };
    const { records } = await auth.client.listIdentityAuditRecords(filter, as(adminToken));
    expect(records.map(({ action, detailsJson }) => [action, JSON.parse(detailsJson)])).toEqual([
      ['second_factor.removed', { factor_id: user.factorId }],
      ['second_factor.confirmed', { factor_id: user.factorId, kind: 'passkey', name: 'Laptop' }],
      ['second_factor.created', { factor_id: user.factorId, kind: 'passkey' }],
    ]);
    const { rows } = await sql<{ events: Buffer }>`
      select events from outbox where destination = 'identity-notifications' order by id`.execute(auth.db);
    const announced = rows
      .flatMap((row) => unpackParcel({ bytes: row.events }))
      .map(({ payload }) => IdentityEvent.decode(payload))
      .filter(({ userId }) => userId === user.id);
    expect(announced.map(({ event }) => event?.value)).toMatchObject([
      { change: SecurityChange.SECOND_FACTOR_ADDED, subjectName: 'Laptop' },
      { change: SecurityChange.SECOND_FACTOR_REMOVED },
    ]);
  });
});

describe('the registration of a passkey', () => {
  const other = 'x'.repeat(43);
  it.each([
    ['of another origin', { origin: 'https://pay.example.evil.example' }, 'PASSKEY_ORIGINS'],
    ['of plain HTTP', { origin: 'http://pay.example' }, 'PASSKEY_ORIGINS'],
    ['of another domain', { rpId: 'evil.example', origin: 'https://pay.example' }, 'PASSKEY_RP_ID'],
    ['of another challenge', { challenge: other }, 'another challenge'],
    ['that is a login', { type: 'webauthn.get' }, 'not valid'],
    ['with a certificate', { attestation: 'certificate' }, 'certificate'],
  ] as const)(
    'refuses a response %s, stores nothing, and can still be completed',
    async (_what, changed, text) => {
      const user = await newUser();
      const { factor, passkeyOptions } = await begin(user.access);
      const factorId = factor?.id ?? '';
      const authenticator = createAuthenticator();
      const refused = await refusal(
        confirm(user.access, factorId, authenticator.create(passkeyOptions, changed)),
      );
      expect(refused).toMatchObject(invalid);
      expect(refused.message).toContain(text);
      expect(await factorsOf(user)).toMatchObject([{ confirmedAt: undefined }]);
      await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });
      const page = { origin: PASSKEYS.origins[1] ?? '', attestation: 'self' } as const;
      await confirm(user.access, factorId, authenticator.create(passkeyOptions, page));
    },
  );

  it('happens once, also if two try at once, and ends after 5 minutes', async () => {
    const user = await newUser();
    const { factor, passkeyOptions } = await begin(user.access);
    const factorId = factor?.id ?? '';
    const tries = [createAuthenticator(), createAuthenticator()].map((key) =>
      confirm(user.access, factorId, key.create(passkeyOptions)),
    );
    const outcomes = (await Promise.allSettled(tries)).map((outcome) => outcome.status).toSorted();
    expect(outcomes).toEqual(['fulfilled', 'rejected']);

    const late = await begin(user.access, 'Late');
    auth.skip(FIVE_MINUTES);
    const response = createAuthenticator().create(late.passkeyOptions);
    const tooLate = await refusal(confirm(user.access, late.factor?.id ?? '', response));
    expect(tooLate).toMatchObject(invalid);
    expect(tooLate.message).toContain('took too long');
    const inTime = await begin(user.access, 'In time');
    await deleteExpiredRegistrations(auth.db, auth.now());
    expect((await factorsOf(user)).map(({ id }) => id)).toEqual([factorId, inTime.factor?.id]);
  });

  it('refuses the passkey of another user', async () => {
    const user = await userWithPasskey();
    const stranger = await newUser();
    expect(await refusal(register(stranger.access, user.authenticator))).toMatchObject(invalid);
    const { factor, passkeyOptions } = await begin(user.access);
    const response = createAuthenticator().create(passkeyOptions);
    expect(await refusal(confirm(stranger.access, factor?.id ?? '', response))).toMatchObject({
      reason: 'SECOND_FACTOR_NOT_FOUND',
    });
  });

  it('names the field of a text that is no response, and of a proof of the other kind', async () => {
    const user = await newUser();
    const { factor, passkeyOptions } = await begin(user.access);
    const factorId = factor?.id ?? '';
    const good = JSON.parse(createAuthenticator().create(passkeyOptions));
    const wrong = [
      '',
      'no JSON',
      'null',
      '[]',
      '{}',
      JSON.stringify({ ...good, rawId: 'other' }),
      JSON.stringify({ ...good, type: 'password' }),
      JSON.stringify({ ...good, response: 'none' }),
      JSON.stringify({ ...good, response: { ...good.response, attestationObject: 7 } }),
      JSON.stringify({ ...good, response: { ...good.response, clientDataJSON: '§' } }),
      JSON.stringify({ ...good, response: { ...good.response, transports: [7] } }),
      JSON.stringify({ ...good, padding: 'x'.repeat(20_480) }),
    ];
    const fieldsOf = async (call: Promise<unknown>) => {
      const { reason, violations } = await refusal(call);
      return [reason, ...violations.map(({ field }) => field)];
    };
    for (const text of wrong) {
      expect(await fieldsOf(confirm(user.access, factorId, text)), text).toEqual([
        'INVALID_ARGUMENT',
        'passkey_json',
      ]);
    }
    const app = await auth.client.createSecondFactor({ kind: 'totp', name: 'Phone' }, as(user.access));
    const mixed = confirm(user.access, app.factor?.id ?? '', JSON.stringify(good));
    expect(await fieldsOf(mixed)).toEqual(['INVALID_ARGUMENT', 'code']);
    // None of them counted as a wrong guess.
    await confirm(user.access, factorId, JSON.stringify(good));
  });
});

describe('a login with a passkey', () => {
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  it.each([
    ['of another origin', { origin: 'https://evil.example' }, 'WRONG_ORIGIN'],
    ['of another domain', { rpId: 'evil.example', origin: 'https://pay.example' }, 'WRONG_RP_ID'],
    ['of another challenge', { challenge: 'x'.repeat(43) }, 'WRONG_CHALLENGE'],
    ['that is a registration', { type: 'webauthn.create' }, 'RESPONSE_NOT_VALID'],
    ['signed by another key', { signer: foreign }, 'RESPONSE_NOT_VALID'],
    ['of a passkey that nobody has', { id: 'abcd' }, 'PASSKEY_UNKNOWN'],
    ['without a touch', { without: TOUCHED }, 'RESPONSE_NOT_VALID'],
  ])('refuses a response %s, and logs why', async (_what, changed, detail) => {
    const user = await userWithPasskey();
    const { challenge, options } = await logIn(user);
    const refused = await refusal(complete(challenge, user.authenticator.get(options, changed)));
    expect(refused).toMatchObject({
      ...invalid,
      message: 'The code or the passkey is wrong or was used, or the login took too long.',
    });
    expect(eventsAbout(user)).toMatchObject([{ security_event: 'second_factor_failed', detail }]);
    // The challenge is still good for the right one.
    await complete(challenge, user.authenticator.get(options));
  });

  it('accepts a response once, and for its own login only', async () => {
    const user = await userWithPasskey();
    const [one, two] = [await logIn(user), await logIn(user)];
    const response = user.authenticator.get(one.options);
    expect(await refusal(complete(two.challenge, response))).toMatchObject(invalid);
    await complete(one.challenge, response);
    expect(await refusal(complete(one.challenge, response))).toMatchObject(invalid);
    expect(await refusal(complete((await logIn(user)).challenge, response))).toMatchObject(invalid);
  });

  it('has one winner of two completions of one challenge', async () => {
    const user = await userWithPasskey();
    const { challenge, options } = await logIn(user);
    const responses = [user.authenticator.get(options), user.authenticator.get(options)];
    const outcomes = await Promise.allSettled(responses.map((response) => complete(challenge, response)));
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const sessions = await auth.db
      .selectFrom('refresh_families')
      .select('id')
      .where('user_id', '=', user.id)
      .execute();
    // That of the registration, and the winner's.
    expect(sessions).toHaveLength(2);
  });

  it('refuses the passkey of another user', async () => {
    const [user, stranger] = [await userWithPasskey(), await userWithPasskey()];
    const { challenge, options } = await logIn(user);
    expect(await refusal(complete(challenge, stranger.authenticator.get(options)))).toMatchObject(invalid);
    // Nor does it help to send the user's id with it.
    const disguised = stranger.authenticator.get(options, { id: user.authenticator.id });
    expect(await refusal(complete(challenge, disguised))).toMatchObject(invalid);
  });

  it('refuses a counter that does not advance, as an event of its own', async () => {
    const user = await userWithPasskey();
    const first = await logIn(user);
    await complete(first.challenge, user.authenticator.get(first.options));
    for (const back of [1, 3]) {
      user.authenticator.rewind(back);
      const { challenge, options } = await logIn(user);
      expect(await refusal(complete(challenge, user.authenticator.get(options)))).toMatchObject(invalid);
    }
    expect(eventsAbout(user).map((line) => line.security_event)).toEqual(
      Array(2).fill('passkey_counter_went_back'),
    );
    user.authenticator.rewind(-4);
    const { challenge, options } = await logIn(user);
    await complete(challenge, user.authenticator.get(options));
  });

  it('ends after 5 minutes, and with a change of the password', async () => {
    const user = await userWithPasskey();
    const old = await logIn(user);
    auth.skip(FIVE_MINUTES);
    expect(await refusal(complete(old.challenge, user.authenticator.get(old.options)))).toMatchObject(
      invalid,
    );
    const { challenge, options } = await logIn(user);
    await auth.client.resetPassword({ userId: user.id }, as(adminToken));
    expect(await refusal(complete(challenge, user.authenticator.get(options)))).toMatchObject(invalid);
  });

  it('is throttled as guesses of codes are, also of many at once', async () => {
    const user = await userWithPasskey();
    const { challenge, options } = await logIn(user);
    const wrong = Array.from({ length: 12 }, () =>
      refusal(complete(challenge, user.authenticator.get(options, { signer: foreign }))),
    );
    const reasons = (await Promise.all(wrong)).map(({ reason }) => reason).toSorted();
    expect(reasons).toEqual([...Array(5).fill('INVALID_SECOND_FACTOR'), ...Array(7).fill('TOO_MANY_LOGINS')]);
    // The right one waits too, and so does a code.
    const right = complete(challenge, user.authenticator.get(options));
    expect(await refusal(right)).toMatchObject({ reason: 'TOO_MANY_LOGINS' });
  });

  it('names the field of a text that is no response, and counts no guess', async () => {
    const user = await userWithPasskey();
    const { challenge, options } = await logIn(user);
    const good = JSON.parse(user.authenticator.get(options));
    const texts = [
      'no JSON',
      '{}',
      JSON.stringify({ ...good, response: { ...good.response, signature: '' } }),
    ];
    for (const text of [...texts, ...texts]) {
      const { reason, violations } = await refusal(complete(challenge, text));
      expect([reason, violations[0]?.field]).toEqual(['INVALID_ARGUMENT', 'passkey_json']);
    }
    await complete(challenge, JSON.stringify(good));
  });
});

describe('a platform without passkeys', () => {
  it('says so, and asks for none at a login', async () => {
    const user = await userWithPasskey();
    const create = off.client.createSecondFactor({ kind: 'passkey', name: 'Laptop' }, as(user.access));
    const refused = { code: status.FAILED_PRECONDITION, reason: 'PASSKEYS_NOT_AVAILABLE' };
    expect(await refusal(create)).toMatchObject(refused);
    const begun = await begin(user.access);
    const passkeyJson = createAuthenticator().create(begun.passkeyOptions);
    const late = { factorId: begun.factor?.id ?? '', code: '', passkeyJson };
    expect(await refusal(off.client.confirmSecondFactor(late, as(user.access)))).toMatchObject(refused);
    expect((await off.client.listSecondFactors({}, as(user.access))).passkeyOrigins).toEqual([]);
    expect((await auth.client.listSecondFactors({}, as(user.access))).passkeyOrigins).toEqual(
      PASSKEYS.origins,
    );

    const { challenge, methods, options } = await logIn(user, off);
    expect({ methods, options }).toEqual({ methods: 'recovery_code', options: '' });
    const elsewhere = await logIn(user);
    const response = user.authenticator.get(elsewhere.options, { challenge });
    expect(await refusal(complete(challenge, response, off))).toMatchObject(invalid);
    const recoveryCode = user.recoveryCodes[0] ?? '';
    await off.client.completeLogin({ challenge, code: '', recoveryCode }, { deadlineMs });
  });
});
