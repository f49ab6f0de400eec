import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteOldLogins } from '../src/app/login-throttle.ts';
import {
  type AuthServer,
  type AuthWithUsers,
  PASSWORD,
  refusal,
  startAuth,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const wrong = { code: status.UNAUTHENTICATED, reason: 'INVALID_CREDENTIALS' };
const delayed = { code: status.RESOURCE_EXHAUSTED, reason: 'TOO_MANY_LOGINS' };
let auth: AuthWithUsers;
let customerToken: string;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  ({ customer: customerToken } = await tokensOf(auth));
  // A delay of a second must not be over because the machine is slow.
  auth.stopClockAt(new Date());
});
afterAll(() => auth?.stop());

interface Try {
  username: string;
  password?: string;
  from?: string;
  at?: AuthServer;
  /** Default: the gateway. */
  as?: 'gateway' | 'client';
  accessToken?: string | undefined;
}

/** Logs in with a client address, as the gateway does. Resolves when the login succeeds. */
const tryLogin = ({ username, password = 'guess', from, at = auth, as = 'gateway', accessToken }: Try) =>
  at[as].login({ username, password, clientAddress: from }, { deadlineMs, accessToken });

const guess = (one: Try) => refusal(tryLogin(one));

/** Guesses until there is a delay. Returns the number of hashed guesses and the delay. */
async function guessUntilDelayed(one: (index: number) => Try) {
  for (let guesses = 0; ; guesses += 1) {
    const answer = await guess(one(guesses));
    if (answer.reason === 'TOO_MANY_LOGINS') return { guesses, retryAfterMs: answer.retryAfterMs ?? 0 };
    expect(answer).toMatchObject(wrong);
  }
}

describe('guesses of one address at one account', () => {
  it('are delayed more and more, and a try that comes too soon is not hashed', async () => {
    const from = '192.0.2.1';
    const { guesses, retryAfterMs } = await guessUntilDelayed(() => ({ username: 'customer', from }));
    expect(guesses).toBe(5);
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(await guess({ username: 'customer', password: PASSWORD, from })).toMatchObject(delayed);
    for (const delayMs of [1_000, 2_000, 4_000]) {
      auth.skip(delayMs);
      expect(await guess({ username: 'customer', from })).toMatchObject(wrong);
      const { reason, retryAfterMs: next = 0 } = await guess({ username: 'customer', from });
      expect(reason).toBe('TOO_MANY_LOGINS');
      expect(next).toBeGreaterThan(delayMs);
      expect(next).toBeLessThanOrEqual(2 * delayMs);
    }
  });

  it('do not delay users at other addresses', async () => {
    await guessUntilDelayed(() => ({ username: 'customer', from: '192.0.2.2' }));
    await tryLogin({ username: 'customer', password: PASSWORD, from: '192.0.2.3' });
    // This deletes the account's count; the guesser's own delay stays.
    expect(await guess({ username: 'customer', from: '192.0.2.2' })).toMatchObject(delayed);
  });

  it('are forgotten when the account owner logs in from there', async () => {
    const from = '192.0.2.4';
    for (let round = 0; round < 3; round += 1) {
      for (let slip = 0; slip < 4; slip += 1)
        expect(await guess({ username: 'customer', from })).toMatchObject(wrong);
      await tryLogin({ username: 'customer', password: PASSWORD, from });
    }
  });

  it('are delayed alike for an unknown name', async () => {
    const known = await guessUntilDelayed(() => ({ username: 'auditor', from: '192.0.2.5' }));
    const unknown = await guessUntilDelayed(() => ({ username: 'nobody', from: '192.0.2.5' }));
    expect(unknown.guesses).toBe(known.guesses);
    const [one, other] = [
      await guess({ username: 'auditor', from: '192.0.2.5' }),
      await guess({ username: 'nobody', from: '192.0.2.5' }),
    ];
    expect({ ...other, retryAfterMs: 0 }).toEqual({ ...one, retryAfterMs: 0 });
    const impossible = await guessUntilDelayed(() => ({ username: 'no body', from: '192.0.2.5' }));
    expect(impossible.guesses).toBe(known.guesses);
  });

  it('count together at all instances, and concurrent failures are all counted', async () => {
    const other = await startAuth(auth.database);
    other.stopClockAt(auth.now());
    const burst = Array.from({ length: 30 }, (_, index) =>
      guess({ username: 'customer', from: '192.0.2.6', at: index % 2 ? auth : other }),
    );
    const looked = (await Promise.all(burst)).filter(({ reason }) => reason === 'INVALID_CREDENTIALS');
    // Five, and at most one more for each hash in flight on the two instances.
    expect(looked.length).toBeGreaterThanOrEqual(5);
    expect(looked.length).toBeLessThanOrEqual(5 + 4);
    await other.stop();
  });

  it('count by /64 if the address is IPv6', async () => {
    const from = (index: number) => `2001:db8:0:1::${index + 1}`;
    const { guesses } = await guessUntilDelayed((index) => ({ username: 'customer', from: from(index) }));
    expect(guesses).toBe(5);
    expect(await guess({ username: 'customer', from: '2001:db8:0:2::1' })).toMatchObject(wrong);
  });
});

describe('guesses of many addresses at one account', () => {
  it('delay all logins of the account, but only for a short time', async () => {
    const from = (index: number) => `198.51.100.${index + 1}`;
    const { guesses, retryAfterMs } = await guessUntilDelayed((index) => ({
      username: 'operator',
      from: from(index),
    }));
    expect(guesses).toBe(20);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    for (let index = 20; index < 40; index += 1) {
      auth.skip(30_000);
      expect(await guess({ username: 'operator', from: from(index) })).toMatchObject(wrong);
    }
    const answer = await guess({ username: 'operator', password: PASSWORD, from: '192.0.2.7' });
    expect(answer).toMatchObject(delayed);
    expect(answer.retryAfterMs).toBeLessThanOrEqual(30_000);
    auth.skip(30_000);
    await tryLogin({ username: 'operator', password: PASSWORD, from: '192.0.2.7' });
    // A success resets the account's count.
    expect(await guess({ username: 'operator', from: from(41) })).toMatchObject(wrong);
    expect(await guess({ username: 'operator', from: from(42) })).toMatchObject(wrong);
  });
});

describe('guesses of one address at many accounts', () => {
  it('are delayed, and a successful login to an account of its own does not reset the count', async () => {
    const from = '203.0.113.1';
    const { guesses } = await guessUntilDelayed((index) => ({ username: `somebody-${index}`, from }));
    expect(guesses).toBe(50);
    auth.skip(1_000);
    await tryLogin({ username: 'customer', password: PASSWORD, from });
    expect(await guess({ username: 'other-user', from })).toMatchObject(wrong);
    expect(await guess({ username: 'other-user', from })).toMatchObject(delayed);
    // Other addresses are not delayed.
    expect(await guess({ username: 'other-user', from: '203.0.113.2' })).toMatchObject(wrong);
  });
});

describe("the client's address", () => {
  it.each([
    ['an anonymous caller', async () => undefined],
    ['a customer', async () => customerToken],
  ])('is ignored when sent by %s', async (_, tokenOf) => {
    const username = `liar-${Math.random()}`;
    const accessToken = await tokenOf();
    const { guesses } = await guessUntilDelayed((index) => {
      const from = `198.51.100.${100 + index}`;
      return { username, from, accessToken, as: 'client' };
    });
    // All failures were counted for the one address that they came from.
    expect(guesses).toBe(5);
  });

  it('must be an IP address', async () => {
    expect(await guess({ username: 'customer', from: 'unknown' })).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_ARGUMENT',
    });
  });
});

it('deletes expired counts, and stores no name in the clear', async () => {
  const { db, now } = auth;
  await guess({ username: 'a-name-nobody-has', from: '192.0.2.8' });
  const rows = await db.selectFrom('login_throttles').selectAll().execute();
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows.map(({ key }) => key.toString('latin1')))).not.toContain('a-name');
  auth.skip(24 * 60 * 60_000);
  await deleteOldLogins({ db, now });
  expect(await db.selectFrom('login_throttles').selectAll().execute()).toEqual([]);
});
