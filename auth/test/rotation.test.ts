import { createTokenVerifier, type TokenVerifier } from '@payflowx/chassis';
import { PATIENCE_MS, type TestDatabase } from '@payflowx/chassis/testing';
import { createDecoder } from 'fast-jwt';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type AuthServer,
  asOwner,
  createUsers,
  freshDatabase,
  PASSWORD,
  ROTATION,
  refusal,
  startAuth,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const MINUTE = 60_000;
let database: TestDatabase;
let one: AuthServer;
let two: AuthServer;
let tokens: Awaited<ReturnType<typeof tokensOf>>;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  database = await freshDatabase();
  await createUsers(database);
  [one, two] = [await startAuth(database), await startAuth(database)];
  tokens = await tokensOf(one);
  // Makes the first key older than the next: keys are listed by age.
  skip(1);
});
afterEach(async () => {
  await one?.stop();
  await two?.stop();
  await database?.drop();
  vi.useRealTimers();
});

function skip(ms: number): void {
  // Auth's clock, the verifier's clock, and the clock that gives verifiers the age of their keys.
  vi.advanceTimersByTime(ms);
}
const rotate = () => one.client.rotateSigningKey({}, { deadlineMs, accessToken: tokens.admin });
const published = async () => (await two.client.getJwks({}, { deadlineMs })).keys;
const kidOf = (token: string): string => createDecoder({ complete: true })(token).header.kid;
const issue = async (auth: AuthServer) => {
  const login = { username: 'auditor', password: PASSWORD };
  return (await auth.client.login(login, { deadlineMs })).tokens?.accessToken ?? '';
};

describe('a rotation', () => {
  it('announces the next key, activates it at both instances, and lists the old one while its tokens are valid', async () => {
    const old = kidOf(await issue(one));
    const { activeKid, nextKid, activatesAt } = await rotate();
    expect(activeKid).toBe(old);
    expect(activatesAt?.getTime()).toBeGreaterThan(one.now().getTime() + ROTATION.announceMs - MINUTE);
    expect((await published()).map(({ kid }) => kid)).toEqual([old, nextKid]);

    skip(ROTATION.announceMs - MINUTE);
    await two.rotateIfDue();
    expect(kidOf(await issue(one))).toBe(old);
    skip(MINUTE);
    expect(await two.rotateIfDue()).toBe('activated');
    expect([kidOf(await issue(one)), kidOf(await issue(two))]).toEqual([nextKid, nextKid]);

    skip(5 * MINUTE);
    expect((await published()).map(({ kid }) => kid)).toEqual([old, nextKid]);
    skip(MINUTE + 1_000);
    expect((await published()).map(({ kid }) => kid)).toEqual([nextKid]);
  });

  it('never makes a verifier refuse a valid token, however old its cached keys are', async () => {
    /** This verifier keeps the keys as long as the announcement allows and fetches nothing in between: the worst case. */
    const stubborn = { verifier: undefined as TokenVerifier | undefined, renewedAt: 0 };
    const chassis = createTokenVerifier({ jwks: published });
    const issued: { token: string; minute: number }[] = [];
    for (let minute = 0; minute < 40; minute += 1) {
      if (minute === 3) await rotate();
      await Promise.all([one.rotateIfDue(), two.rotateIfDue()]);
      if (minute - stubborn.renewedAt >= 14 || !stubborn.verifier) {
        const snapshot = await published();
        stubborn.verifier = createTokenVerifier({ jwks: async () => snapshot });
        stubborn.renewedAt = minute;
      }
      issued.push({ token: await issue(one), minute }, { token: await issue(two), minute });
      for (const { token } of issued.filter((each) => minute - each.minute < 5)) {
        await chassis.verify(token);
        await stubborn.verifier.verify(token);
        // This verifier starts now, with only the keys published at this moment.
        await createTokenVerifier({ jwks: published }).verify(token);
      }
      skip(MINUTE);
    }
    expect(new Set(issued.map(({ token }) => kidOf(token))).size).toBe(2);
  });

  it('happens once, however many admins ask and however many instances find it due', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, rotate));
    expect(new Set(answers.map(({ nextKid }) => nextKid)).size).toBe(1);
    skip(ROTATION.announceMs);
    const turns = await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 ? one : two).rotateIfDue()));
    expect(turns.filter((turn) => turn === 'activated')).toHaveLength(1);
    expect(await published()).toHaveLength(2);
  });

  it('happens by itself when a key is old', async () => {
    const old = kidOf(await issue(one));
    expect(await one.rotateIfDue()).toBeUndefined();
    skip(ROTATION.maxAgeMs);
    const turns = await Promise.all([one.rotateIfDue(), two.rotateIfDue()]);
    expect(turns.filter(Boolean)).toEqual(['announced']);
    expect(kidOf(await issue(one))).toBe(old);
    skip(ROTATION.announceMs);
    await two.rotateIfDue();
    expect(kidOf(await issue(one))).not.toBe(old);
    expect(await one.rotateIfDue()).toBeUndefined();
  });

  it('deletes the private half of a retired key', async () => {
    await rotate();
    skip(ROTATION.announceMs);
    await one.rotateIfDue();
    const keys = await asOwner(database, (db) =>
      db.selectFrom('signing_keys').select(['state', 'sealed_private_key']).execute(),
    );
    const states = keys.map(({ state, sealed_private_key }) => [state, sealed_private_key !== null]);
    expect(Object.fromEntries(states)).toEqual({ retired: false, active: true });
  });

  it('is for admins only', async () => {
    for (const accessToken of [tokens.customer, tokens.operator, tokens.auditor]) {
      const call = one.client.rotateSigningKey({}, { deadlineMs, accessToken });
      expect(await refusal(call)).toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
    }
  });
});
