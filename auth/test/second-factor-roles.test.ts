/** Roles that need a second factor: a user without one can only set it up. */
import { status } from '@grpc/grpc-js';
import { createTokenVerifier, NeighbourError, SECOND_FACTOR_SETUP } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { Role, type TokenPair, type User } from '@payflowx/proto/auth';
import { createDecoder } from 'fast-jwt';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { access } from '../src/rpc/access.ts';
import {
  type AuthServer,
  type AuthWithUsers,
  NO_CHANGE,
  newUserRequest,
  PASSWORD,
  refusal,
  startAuth,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const STEP_MS = 30_000;
const mustSetUp = { code: status.PERMISSION_DENIED, reason: 'SECOND_FACTOR_SETUP_REQUIRED' };
let auth: AuthWithUsers;
let adminToken: string;

beforeAll(async () => {
  auth = await startAuthWithUsers({ factorPolicy: ['operator', 'auditor'] });
  adminToken = (await tokensOf(auth)).admin;
});
beforeEach(() => auth.stopClockAt(new Date()));
afterAll(() => auth?.stop());

const as = (accessToken = '') => ({ deadlineMs, accessToken });
const claimsOf = (token = '') => createDecoder()(token);

let made = 0;
async function newUser(role: Role): Promise<User> {
  made += 1;
  const wanted = newUserRequest({ username: `needs-${made}`, roles: [role] });
  return (await auth.client.createUser(wanted, as(adminToken))).user as User;
}

async function logIn({ username }: User, at: AuthServer = auth): Promise<TokenPair> {
  const { tokens } = await at.client.login({ username, password: PASSWORD }, { deadlineMs });
  return tokens as TokenPair;
}

const refresh = async ({ refreshToken }: TokenPair, at: AuthServer = auth) =>
  (await at.client.refreshTokens({ refreshToken, requestId: '' }, { deadlineMs })).tokens as TokenPair;

async function setUp({ accessToken }: TokenPair) {
  const request = { kind: 'totp', name: 'Phone' };
  const { factor, secret } = await auth.client.createSecondFactor(request, as(accessToken));
  const factorId = factor?.id ?? '';
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const codeNow = () => totp.generate({ timestamp: auth.now().getTime() });
  const confirm = () => auth.client.confirmSecondFactor({ factorId, code: codeNow() }, as(accessToken));
  return { factorId, codeNow, confirm };
}

async function challengeOf(user: User): Promise<string> {
  const refused = await logIn(user).catch((error: unknown) => error);
  if (refused instanceof NeighbourError) return refused.metadata.challenge ?? '';
  throw new Error('The login needed no second factor.');
}

describe('a user without a second factor, whose role needs one', () => {
  it('gets a token that has no roles, and is good for the setup only', async () => {
    const user = await newUser(Role.OPERATOR);
    const tokens = await logIn(user);
    expect(tokens.restrictedTo).toBe(SECOND_FACTOR_SETUP);
    expect(claimsOf(tokens.accessToken)).toMatchObject({ roles: [], restricted_to: SECOND_FACTOR_SETUP });
    const jwks = async () => (await auth.client.getJwks({}, { deadlineMs })).keys;
    expect(await createTokenVerifier({ jwks }).verify(tokens.accessToken)).toMatchObject({
      id: user.id,
      roles: [],
      restrictedTo: SECOND_FACTOR_SETUP,
    });
    expect((await auth.client.getMe({}, as(tokens.accessToken))).user).toMatchObject({ id: user.id });
    for (const call of [
      auth.client.listUsers({ pageSize: 0, pageToken: '' }, as(tokens.accessToken)),
      auth.client.changePassword({ currentPassword: PASSWORD, newPassword: 'x' }, as(tokens.accessToken)),
      auth.client.listSessions({ pageSize: 0, pageToken: '' }, as(tokens.accessToken)),
    ]) {
      expect(await refusal(call)).toMatchObject(mustSetUp);
    }
  });

  it('stays restricted when it refreshes, and gets all rights after it has set up the factor', async () => {
    const user = await newUser(Role.AUDITOR);
    let tokens = await refresh(await logIn(user));
    expect(tokens.restrictedTo).toBe(SECOND_FACTOR_SETUP);
    const { confirm, codeNow } = await setUp(tokens);
    await confirm();
    tokens = await refresh(tokens);
    expect(tokens.restrictedTo).toBe('');
    expect(claimsOf(tokens.accessToken)).toMatchObject({ roles: ['auditor'] });
    await auth.client.listSessions({ pageSize: 0, pageToken: '' }, as(tokens.accessToken));
    auth.skip(STEP_MS);
    const completion = { challenge: await challengeOf(user), code: codeNow(), recoveryCode: '' };
    const later = (await auth.client.completeLogin(completion, { deadlineMs })).tokens as TokenPair;
    expect(later.restrictedTo).toBe('');
    expect((await refresh(later)).restrictedTo).toBe('');
  });

  it('needs none with another role', async () => {
    for (const role of [Role.CUSTOMER, Role.ADMIN]) {
      expect((await logIn(await newUser(role))).restrictedTo).toBe('');
    }
  });

  it('is restricted from the next refresh on, if the role is new', async () => {
    const user = await newUser(Role.CUSTOMER);
    const tokens = await logIn(user);
    const change = { userId: user.id, expectedVersion: 1n, roles: { roles: [Role.CUSTOMER, Role.OPERATOR] } };
    await auth.client.updateUser({ ...NO_CHANGE, ...change }, as(adminToken));
    const after = await refresh(tokens);
    expect(claimsOf(after.accessToken)).toMatchObject({ roles: [], restricted_to: SECOND_FACTOR_SETUP });
  });
});

describe('a session that began with the password alone', () => {
  it('ends when another session of the user sets up the first factor', async () => {
    const user = await newUser(Role.OPERATOR);
    const [thief, owner] = [await logIn(user), await logIn(user)];
    const { confirm } = await setUp(owner);
    await confirm();
    expect(await refusal(refresh(thief))).toMatchObject({ reason: 'INVALID_REFRESH_TOKEN' });
    const { sessions } = await auth.client.listSessions(
      { pageSize: 0, pageToken: '' },
      as((await refresh(owner)).accessToken),
    );
    expect(sessions).toHaveLength(1);
  });

  it('cannot add, confirm or remove a factor with a token from before, even if no service knows that it ended', async () => {
    const user = await newUser(Role.OPERATOR);
    const [thief, owner] = [await logIn(user), await logIn(user)];
    const theirs = await setUp(thief);
    const { confirm, factorId } = await setUp(owner);
    await confirm();
    // The rows are removed, as if the list of revoked tokens had not reached the service yet.
    const blind = await startAuth(auth.database, { factorPolicy: ['operator', 'auditor'] });
    blind.stopClockAt(auth.now());
    await blind.db.deleteFrom('revocations').execute();
    const fresh = await startAuth(auth.database, { factorPolicy: ['operator', 'auditor'] });
    try {
      const token = as(thief.accessToken);
      const tooOld = { code: status.PERMISSION_DENIED, reason: 'LOGIN_TOO_OLD' };
      const { createSecondFactor, confirmSecondFactor, deleteSecondFactor } = fresh.client;
      expect(await refusal(createSecondFactor({ kind: 'totp', name: 'Mine' }, token))).toMatchObject(tooOld);
      const confirmation = { factorId: theirs.factorId, code: theirs.codeNow() };
      expect(await refusal(confirmSecondFactor(confirmation, token))).toMatchObject(tooOld);
      expect(await refusal(deleteSecondFactor({ factorId }, token))).toMatchObject(tooOld);
    } finally {
      await fresh.stop();
      await blind.stop();
    }
  });

  it('has one winner if two of them set up a factor at once', async () => {
    const user = await newUser(Role.OPERATOR);
    const sessions = [await logIn(user), await logIn(user)];
    const setups = await Promise.all(sessions.map(setUp));
    const outcomes = await Promise.allSettled(setups.map(({ confirm }) => confirm()));
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const winner = outcomes[0]?.status === 'fulfilled' ? 0 : 1;
    const [won, lost] = [sessions[winner], sessions[1 - winner]] as [TokenPair, TokenPair];
    expect((await refresh(won)).restrictedTo).toBe('');
    expect(await refusal(refresh(lost))).toMatchObject({ reason: 'INVALID_REFRESH_TOKEN' });
  });

  it('is restricted or refused when its role begins to need a factor', async () => {
    const lenient = await startAuth(auth.database);
    lenient.stopClockAt(auth.now());
    try {
      const [without, having] = [await newUser(Role.OPERATOR), await newUser(Role.OPERATOR)];
      const before = [await logIn(without, lenient), await logIn(having, lenient)] as const;
      expect(before.map(({ restrictedTo }) => restrictedTo)).toEqual(['', '']);
      const { confirm } = await setUp(await logIn(having, lenient));
      await confirm();
      expect((await refresh(before[0])).restrictedTo).toBe(SECOND_FACTOR_SETUP);
      expect(await refusal(refresh(before[1]))).toMatchObject({ reason: 'INVALID_REFRESH_TOKEN' });
    } finally {
      await lenient.stop();
    }
  });
});

describe('the last second factor', () => {
  it('stays as long as the role needs one, unless an admin removes it', async () => {
    const user = await newUser(Role.OPERATOR);
    let tokens = await logIn(user);
    const first = await setUp(tokens);
    await first.confirm();
    tokens = await refresh(tokens);
    const token = as(tokens.accessToken);
    const last = { code: status.FAILED_PRECONDITION, reason: 'LAST_SECOND_FACTOR' };
    expect(await refusal(auth.client.deleteSecondFactor({ factorId: first.factorId }, token))).toMatchObject(
      last,
    );
    expect((await auth.client.listSecondFactors({}, token)).factors).toHaveLength(1);

    const second = await setUp(tokens);
    // An app that is not confirmed does not count.
    expect(await refusal(auth.client.deleteSecondFactor({ factorId: first.factorId }, token))).toMatchObject(
      last,
    );
    auth.skip(STEP_MS);
    await second.confirm();
    await auth.client.deleteSecondFactor({ factorId: first.factorId }, token);

    await auth.client.deleteUserSecondFactors({ userId: user.id }, as(adminToken));
    expect((await logIn(user)).restrictedTo).toBe(SECOND_FACTOR_SETUP);
  });
});

it('only what the setup needs is open to such a user', () => {
  const open = Object.entries(access).flatMap(([rpc, entry]) =>
    typeof entry === 'object' && 'setup' in entry ? rpc : [],
  );
  expect(open.toSorted()).toEqual([
    'confirmSecondFactor',
    'createSecondFactor',
    'deleteSecondFactor',
    'getMe',
    'listSecondFactors',
  ]);
});
