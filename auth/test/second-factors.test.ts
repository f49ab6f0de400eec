/** Second factors: an authenticator app, recovery codes, and the login that needs them. */
import { status } from '@grpc/grpc-js';
import { NeighbourError } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { type User, UserState } from '@payflowx/proto/auth';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthWithUsers,
  newUserRequest,
  PASSWORD,
  refusal,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const STEP_MS = 30_000;
const invalid = { code: status.UNAUTHENTICATED, reason: 'INVALID_SECOND_FACTOR' };
let auth: AuthWithUsers;
let adminToken: string;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  adminToken = (await tokensOf(auth)).admin;
});
// The codes of a step must not change because the machine is slow. `skip` moves the clock to the next step. It may move by a minute: the
// verifier refuses tokens from further ahead.
beforeEach(() => auth.stopClockAt(new Date()));
afterAll(() => auth?.stop());

const as = (accessToken: string) => ({ deadlineMs, accessToken });

let made = 0;
async function newUser(): Promise<User & { access: string }> {
  made += 1;
  const wanted = newUserRequest({ username: `factor-${made}` });
  const { user } = await auth.client.createUser(wanted, as(adminToken));
  const { tokens } = await auth.client.login(
    { username: wanted.username, password: PASSWORD },
    { deadlineMs },
  );
  return { ...(user as User), access: tokens?.accessToken ?? '' };
}

/** An app that is not confirmed. Its codes are those of the app's clock, which is auth's. */
async function newApp(accessToken: string, name = 'Phone') {
  const { factor, secret } = await auth.client.createSecondFactor({ kind: 'totp', name }, as(accessToken));
  const totp = new TOTP({ secret: Secret.fromBase32(secret) });
  const codeAt = (ms = 0) => totp.generate({ timestamp: auth.now().getTime() + ms });
  return { factorId: factor?.id ?? '', codeAt };
}

/** Confirms the app, and moves the clock to its next code. Returns the recovery codes. */
async function confirmApp(accessToken: string, { factorId, codeAt }: Awaited<ReturnType<typeof newApp>>) {
  const request = { factorId, code: codeAt() };
  const { recoveryCodes } = await auth.client.confirmSecondFactor(request, as(accessToken));
  auth.skip(STEP_MS);
  return recoveryCodes;
}

async function userWithApp() {
  const user = await newUser();
  const app = await newApp(user.access);
  return { ...user, ...app, recoveryCodes: await confirmApp(user.access, app) };
}

async function challengeOf({ username }: User): Promise<string> {
  try {
    await auth.client.login({ username, password: PASSWORD }, { deadlineMs });
  } catch (error) {
    if (error instanceof NeighbourError && error.reason === 'SECOND_FACTOR_REQUIRED')
      return error.metadata.challenge ?? '';
    throw error;
  }
  throw new Error('The login needed no second factor.');
}

const complete = (challenge: string, { code = '', recoveryCode = '' }) =>
  auth.client.completeLogin({ challenge, code, recoveryCode }, { deadlineMs });

describe('an authenticator app', () => {
  it('is not needed before it is confirmed, and needed afterwards', async () => {
    const user = await newUser();
    const request = { kind: 'totp', name: 'Phone' };
    const { factor, uri } = await auth.client.createSecondFactor(request, as(user.access));
    expect(uri).toContain(`otpauth://totp/PayFlowX:${user.username}?issuer=PayFlowX&secret=`);
    await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });
    const wrong = { factorId: factor?.id ?? '', code: '000000' };
    expect(await refusal(auth.client.confirmSecondFactor(wrong, as(user.access)))).toMatchObject(invalid);

    const { codeAt, ...other } = await userWithApp();
    const { user: known } = await auth.client.getUser({ userId: other.id }, as(adminToken));
    expect(known).toMatchObject({ secondFactor: true });
    const { tokens } = await complete(await challengeOf(other), { code: codeAt() });
    await auth.client.getMe({}, as(tokens?.accessToken ?? ''));
  });

  it('shows codes that are accepted once, in the step before and after too', async () => {
    const user = await userWithApp();
    const { codeAt } = user;
    const late = codeAt();
    auth.skip(STEP_MS);
    await complete(await challengeOf(user), { code: late });
    expect(await refusal(complete(await challengeOf(user), { code: late }))).toMatchObject(invalid);
    await complete(await challengeOf(user), { code: codeAt() });
    auth.skip(2 * STEP_MS);
    expect(await refusal(complete(await challengeOf(user), { code: codeAt(-2 * STEP_MS) }))).toMatchObject(
      invalid,
    );
  });

  it('has one winner of two logins with one code, and of two with one challenge', async () => {
    const user = await userWithApp();
    const challenges = [await challengeOf(user), await challengeOf(user)];
    const code = user.codeAt();
    const one = await Promise.allSettled(challenges.map((challenge) => complete(challenge, { code })));
    expect(one.map((answer) => answer.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const challenge = await challengeOf(user);
    const codes = user.recoveryCodes.slice(0, 2);
    const two = await Promise.allSettled(codes.map((recoveryCode) => complete(challenge, { recoveryCode })));
    expect(two.map((answer) => answer.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('cannot be guessed: wrong codes delay the next try, with any challenge', async () => {
    const user = await userWithApp();
    const reasons = [];
    for (let guess = 0; guess < 6; guess += 1) {
      reasons.push((await refusal(complete(await challengeOf(user), { code: '000000' }))).reason);
    }
    expect(reasons).toEqual([...Array(5).fill('INVALID_SECOND_FACTOR'), 'TOO_MANY_LOGINS']);
  });

  it('is not used for a login before it is confirmed, beside one that is', async () => {
    const user = await userWithApp();
    const second = await newApp(user.access, 'Tablet');
    const answer = complete(await challengeOf(user), { code: second.codeAt() });
    expect(await refusal(answer)).toMatchObject(invalid);
  });

  it('cannot be guessed when it is confirmed', async () => {
    const user = await newUser();
    const { factorId } = await newApp(user.access);
    const reasons = [];
    for (let guess = 0; guess < 6; guess += 1) {
      const answer = auth.client.confirmSecondFactor({ factorId, code: '000000' }, as(user.access));
      reasons.push((await refusal(answer)).reason);
    }
    expect(reasons).toEqual([...Array(5).fill('INVALID_SECOND_FACTOR'), 'TOO_MANY_LOGINS']);
  });

  it('cannot be guessed at once either: of many concurrent guesses, those behind the failures are refused', async () => {
    const reasonsOf = async (guess: (code: string) => Promise<unknown>) => {
      const answers = Array.from({ length: 30 }, (_, n) => refusal(guess(`00000${n % 10}`)));
      const reasons = (await Promise.all(answers)).map(({ reason }) => reason);
      return ['INVALID_SECOND_FACTOR', 'TOO_MANY_LOGINS'].map(
        (expected) => reasons.filter((reason) => reason === expected).length,
      );
    };
    const challenge = await challengeOf(await userWithApp());
    expect(await reasonsOf((code) => complete(challenge, { code }))).toEqual([5, 25]);
    const user = await newUser();
    const { factorId } = await newApp(user.access);
    const confirm = (code: string) => auth.client.confirmSecondFactor({ factorId, code }, as(user.access));
    expect(await reasonsOf(confirm)).toEqual([5, 25]);
  });

  it('is one of ten at most', async () => {
    const user = await newUser();
    for (let count = 0; count < 10; count += 1) await newApp(user.access);
    expect(await refusal(newApp(user.access))).toMatchObject({ reason: 'TOO_MANY_SECOND_FACTORS' });
  });

  it('belongs to its user: another user neither sees, confirms nor removes it', async () => {
    const [user, stranger] = [await userWithApp(), await userWithApp()];
    const unconfirmed = await newApp(user.access, 'Tablet');
    const { factors } = await auth.client.listSecondFactors({}, as(stranger.access));
    expect(factors.map(({ id }) => id)).toEqual([stranger.factorId]);
    const notFound = { code: status.NOT_FOUND, reason: 'SECOND_FACTOR_NOT_FOUND' };
    const confirm = { factorId: unconfirmed.factorId, code: unconfirmed.codeAt() };
    const remove = { factorId: user.factorId };
    expect(await refusal(auth.client.confirmSecondFactor(confirm, as(stranger.access)))).toMatchObject(
      notFound,
    );
    expect(await refusal(auth.client.deleteSecondFactor(remove, as(stranger.access)))).toMatchObject(
      notFound,
    );

    // Nor does a change of the one touch the recovery codes of the other.
    await confirmApp(stranger.access, await newApp(stranger.access, 'Tablet'));
    await auth.client.deleteUserSecondFactors({ userId: stranger.id }, as(adminToken));
    const own = await auth.client.listSecondFactors({}, as(user.access));
    expect(own).toMatchObject({
      factors: [
        { id: user.factorId, kind: 'totp', name: 'Phone', confirmedAt: expect.any(Date) },
        { id: unconfirmed.factorId, kind: 'totp', name: 'Tablet', confirmedAt: undefined },
      ],
      recoveryCodesLeft: 10,
    });
    await complete(await challengeOf(user), { code: user.codeAt() });
  });

  it('is needed until the last one is removed, which ends the recovery codes too', async () => {
    const user = await userWithApp();
    const second = await newApp(user.access, 'Tablet');
    await confirmApp(user.access, second);
    await auth.client.deleteSecondFactor({ factorId: user.factorId }, as(user.access));
    await complete(await challengeOf(user), { code: second.codeAt() });
    const left = async () => (await auth.client.listSecondFactors({}, as(user.access))).recoveryCodesLeft;
    expect(await left()).toBe(10);
    await auth.client.deleteSecondFactor({ factorId: second.factorId }, as(user.access));
    expect(await left()).toBe(0);
    await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });

    const loser = await userWithApp();
    await auth.client.deleteUserSecondFactors({ userId: loser.id }, as(adminToken));
    expect(await auth.client.listSecondFactors({}, as(loser.access))).toMatchObject({
      factors: [],
      recoveryCodesLeft: 0,
    });
  });

  it('ends the sessions that began with the password alone if it is the first one, and only then', async () => {
    const user = await newUser();
    const logIn = async () =>
      (await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs })).tokens;
    const thief = await logIn();
    const [recoveryCode = ''] = await confirmApp(user.access, await newApp(user.access));
    const refresh = auth.client.refreshTokens(
      { refreshToken: thief?.refreshToken ?? '', requestId: '' },
      { deadlineMs },
    );
    expect(await refusal(refresh)).toMatchObject({ reason: 'INVALID_REFRESH_TOKEN' });

    const sessions = async () =>
      (await auth.client.listSessions({ pageSize: 0, pageToken: '' }, as(user.access))).sessions.length;
    expect(await sessions()).toBe(1);
    const second = await newApp(user.access, 'Tablet');
    await complete(await challengeOf(user), { recoveryCode });
    await auth.client.confirmSecondFactor(
      { factorId: second.factorId, code: second.codeAt() },
      as(user.access),
    );
    expect(await sessions()).toBe(2);
  });

  it('is stored encrypted', async () => {
    const { factorId } = await userWithApp();
    const [row] = await auth.db
      .selectFrom('second_factors')
      .select('sealed_secret')
      .where('id', '=', factorId)
      .execute();
    expect(row?.sealed_secret).toHaveLength(12 + 16 + 20);
  });

  it('is removed by its user, or by an admin if it is lost', async () => {
    const user = await userWithApp();
    await auth.client.deleteSecondFactor({ factorId: user.factorId }, as(user.access));
    await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });
    const again = auth.client.deleteSecondFactor({ factorId: user.factorId }, as(user.access));
    expect(await refusal(again)).toMatchObject({ reason: 'SECOND_FACTOR_NOT_FOUND' });

    const loser = await userWithApp();
    await auth.client.deleteUserSecondFactors({ userId: loser.id }, as(adminToken));
    await auth.client.login({ username: loser.username, password: PASSWORD }, { deadlineMs });
    const filter = { pageSize: 1, pageToken: '', subjectId: loser.id, actorId: '', action: '' };
    const { records } = await auth.client.listIdentityAuditRecords(filter, as(adminToken));
    expect(records).toMatchObject([{ action: 'second_factor.removed' }]);
  });
});

describe('a recovery code', () => {
  it('replaces a code, once', async () => {
    const user = await userWithApp();
    const recoveryCode = user.recoveryCodes[0] ?? '';
    await complete(await challengeOf(user), { recoveryCode: recoveryCode.toUpperCase() });
    expect(await refusal(complete(await challengeOf(user), { recoveryCode }))).toMatchObject(invalid);
    const { recoveryCodesLeft } = await auth.client.listSecondFactors({}, as(user.access));
    expect(recoveryCodesLeft).toBe(9);
    const stranger = await userWithApp();
    const theirs = { recoveryCode: stranger.recoveryCodes[0] ?? '' };
    expect(await refusal(complete(await challengeOf(user), theirs))).toMatchObject(invalid);
  });
});

describe('a challenge', () => {
  it('expires, and is worth nothing after the password has changed', async () => {
    const user = await userWithApp();
    const old = await challengeOf(user);
    auth.skip(5 * 60_000);
    expect(await refusal(complete(old, { code: user.codeAt() }))).toMatchObject(invalid);
    const challenge = await challengeOf(user);
    await auth.client.resetPassword({ userId: user.id }, as(adminToken));
    expect(await refusal(complete(challenge, { code: user.codeAt() }))).toMatchObject(invalid);
  });

  it('is worth nothing after the user was disabled', async () => {
    const user = await userWithApp();
    const challenge = await challengeOf(user);
    await auth.client.changeUserState({ userId: user.id, state: UserState.DISABLED }, as(adminToken));
    expect(await refusal(complete(challenge, { code: user.codeAt() }))).toMatchObject(invalid);
  });

  it('does not outlive the login that it completes', async () => {
    const user = await userWithApp();
    const challenge = await challengeOf(user);
    await complete(challenge, { code: user.codeAt() });
    auth.skip(STEP_MS);
    expect(await refusal(complete(challenge, { code: user.codeAt() }))).toMatchObject(invalid);
  });
});
