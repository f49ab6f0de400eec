/** Users who share an address with an attacker who guesses passwords. */
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { admitTry, deleteOldLogins, recordFailure, recordSuccess } from '../src/app/login-throttle.ts';
import { networkOf } from '../src/domain/client-address.ts';
import { AuthError } from '../src/domain/errors.ts';
import { KNOWN_NETWORKS_MAX, KNOWN_PAIR_TRIES } from '../src/domain/known-login-pair.ts';
import { throttleKeys } from '../src/domain/login-throttle.ts';
import {
  type AuthServer,
  type AuthWithUsers,
  asOwner,
  PASSWORD,
  refusal,
  startAuth,
  startAuthWithUsers,
} from './auth-server.ts';

const deadlineMs = 20_000;
const DAY_MS = 24 * 60 * 60_000;
const delayed = { code: status.RESOURCE_EXHAUSTED, reason: 'TOO_MANY_LOGINS' };
let auth: AuthWithUsers;

beforeAll(async () => {
  auth = await startAuthWithUsers();
});
afterAll(() => auth?.stop());
beforeEach(async () => {
  auth.stopClockAt(new Date());
  await auth.db.deleteFrom('login_throttles').execute();
  await auth.db.deleteFrom('known_login_pairs').execute();
});

const logIn = (
  username: string,
  clientAddress: string,
  { password = PASSWORD, at = auth }: { password?: string; at?: AuthServer } = {},
) => at.gateway.login({ username, password, clientAddress }, { deadlineMs });

/** Another client fails at this address until all logins from it have to wait. No password is hashed for it. */
async function failAsOthers(address: string, username = 'somebody-else'): Promise<void> {
  for (let failure = 0; failure < 56; failure += 1) {
    await recordFailure(auth, throttleKeys(`${username}-${failure}`, networkOf(address)));
  }
}

/** Resolves with the result of `work` and the number of password hashes. */
async function hashesIn<T>(work: () => Promise<T>): Promise<[T, number]> {
  const before = auth.hashes();
  return [await work(), auth.hashes() - before];
}

describe('a user who logs in here every day', () => {
  const address = '192.0.2.1';

  it('can still log in while others fail here; an unknown pair and an unknown name cannot', async () => {
    await logIn('customer', address);
    await failAsOthers(address);
    const refused = await hashesIn(async () => [
      await refusal(logIn('operator', address)),
      await refusal(logIn('nobody', address)),
    ]);
    const [[unknownPair, unknownName], hashes] = refused;
    expect(unknownPair).toMatchObject(delayed);
    expect(unknownName).toEqual(unknownPair);
    expect(hashes).toBe(0);
    for (let login = 0; login < 3; login += 1) await logIn('customer', address);
  });

  it('may mistype a few times, and is then as slow as the others until a success', async () => {
    await logIn('customer', address);
    await failAsOthers(address);
    const unknown = await refusal(logIn('nobody', address));
    for (let slip = 0; slip < KNOWN_PAIR_TRIES; slip += 1) {
      const [answer, hashes] = await hashesIn(() =>
        refusal(logIn('customer', address, { password: 'slip' })),
      );
      // The error does not show that the password was checked.
      expect({ ...answer, retryAfterMs: 0 }).toEqual({ ...unknown, retryAfterMs: 0 });
      expect(hashes).toBe(1);
    }
    expect(await hashesIn(() => refusal(logIn('customer', address)))).toMatchObject([delayed, 0]);
    // Each failure has added its minute to the wait of the address.
    auth.skip((unknown.retryAfterMs ?? 0) + KNOWN_PAIR_TRIES * 60_000);
    await logIn('customer', address);
    await failAsOthers(address);
    await logIn('customer', address);
  });

  it('still has to wait for failures of its own', async () => {
    await logIn('customer', address);
    for (let failure = 0; failure < 5; failure += 1) {
      await recordFailure(auth, throttleKeys('customer', address));
    }
    expect(await refusal(logIn('customer', address))).toMatchObject(delayed);
  });

  it('is not delayed by guesses from other networks, and its logins allow no more of them', async () => {
    await logIn('customer', address);
    for (let failure = 0; failure < 30; failure += 1) {
      await recordFailure(auth, throttleKeys('customer', `198.51.100.${failure}`));
    }
    await logIn('customer', address);
    expect(await refusal(logIn('customer', '198.51.100.200'))).toMatchObject(delayed);
  });

  it('is known in the whole /64 of an IPv6 address, and not in the next one', async () => {
    await logIn('customer', '2001:db8:0:1::1');
    await failAsOthers('2001:db8:0:1::2');
    await failAsOthers('2001:db8:0:2::2');
    await logIn('customer', '2001:db8:0:1::3');
    expect(await refusal(logIn('customer', '2001:db8:0:2::3'))).toMatchObject(delayed);
  });

  it('is known for 30 days, at all instances, and then purged', async () => {
    const other = await startAuth(auth.database);
    other.stopClockAt(auth.now());
    await logIn('customer', address, { at: other });
    await other.stop();
    auth.skip(30 * DAY_MS - 1);
    await failAsOthers(address);
    await deleteOldLogins(auth);
    await logIn('customer', address);
    auth.skip(30 * DAY_MS);
    await failAsOthers(address);
    expect(await refusal(logIn('customer', address))).toMatchObject(delayed);
    await deleteOldLogins(auth);
    expect(await auth.db.selectFrom('known_login_pairs').selectAll().execute()).toEqual([]);
  });
});

it('keeps the last used networks, and at most a fixed number per account', async () => {
  const customer = await auth.db
    .selectFrom('users')
    .select('id')
    .where('username', '=', 'customer')
    .executeTakeFirstOrThrow();
  const succeed = (network: string) =>
    auth.db.transaction().execute((trx) =>
      recordSuccess(trx, {
        keys: throttleKeys('customer', network),
        userId: customer.id,
        loginAt: auth.now(),
        admission: { skippedMs: 0 },
      }),
    );
  for (let network = 0; network < KNOWN_NETWORKS_MAX + 5; network += 1) {
    auth.skip(1_000);
    await succeed(`198.51.100.${network}`);
  }
  auth.skip(1_000);
  // Two concurrent logins may keep one too many; the next login removes it.
  await Promise.all([succeed('203.0.113.1'), succeed('203.0.113.2')]);
  auth.skip(1_000);
  await succeed('203.0.113.1');
  const rows = await auth.db.selectFrom('known_login_pairs').select('key').execute();
  const known = (network: string) =>
    rows.some(({ key }) => key.equals(throttleKeys('customer', network).pair.key));
  expect(rows).toHaveLength(KNOWN_NETWORKS_MAX);
  expect([known('203.0.113.1'), known('203.0.113.2'), known('198.51.100.3')]).toEqual([true, true, false]);
});

it('succeeds with two concurrent logins of one new pair at two instances', async () => {
  const other = await startAuth(auth.database);
  await Promise.all([auth, other, auth, other].map((at) => logIn('customer', '192.0.2.9', { at })));
  await other.stop();
  expect(await auth.db.selectFrom('known_login_pairs').selectAll().execute()).toHaveLength(1);
});

describe('a password guesser', () => {
  /**
   * Guesses as fast as it is allowed for `minutes`: known names first, then new names. Returns the number of guesses that were
   * hashed.
   */
  async function guessesIn(minutes: number, address: string, known: string[]): Promise<number> {
    const until = auth.now().getTime() + minutes * 60_000;
    let looked = 0;
    const looksAt = async (username: string): Promise<number> => {
      const keys = throttleKeys(username, address);
      try {
        await admitTry(auth, keys);
      } catch (error) {
        if (error instanceof AuthError && error.retryAfterMs) return error.retryAfterMs;
        throw error;
      }
      await recordFailure(auth, keys);
      looked += 1;
      return 0;
    };
    const guessAtKnown = async () => {
      for (const username of known) while ((await looksAt(username)) === 0);
    };
    for (let name = 0; auth.now().getTime() < until; name += 1) {
      const waitMs = await looksAt(`${address}-${name}`);
      if (waitMs === 0) continue;
      await guessAtKnown();
      auth.skip(waitMs);
    }
    return looked;
  }

  it('gets no more guesses in an hour from an address with many known users', async () => {
    const names = Array.from({ length: 15 }, (_, index) => `colleague-${index}`);
    const alone = await guessesIn(60, '192.0.2.20', []);
    await asOwner(auth.database, async (db) => {
      const { id } = await db.selectFrom('users').select('id').limit(1).executeTakeFirstOrThrow();
      const rows = names.map((name) => ({
        key: throttleKeys(name, '192.0.2.21').pair.key,
        user_id: id,
        last_login_at: auth.now(),
      }));
      await db.insertInto('known_login_pairs').values(rows).execute();
    });
    const among = await guessesIn(60, '192.0.2.21', names);
    expect(among).toBeLessThanOrEqual(alone);
  });

  it('gains nothing from a known account of its own', async () => {
    const address = '192.0.2.22';
    await logIn('customer', address);
    await failAsOthers(address);
    for (let login = 0; login < 3; login += 1) {
      await logIn('customer', address);
      expect(await refusal(logIn('operator', address))).toMatchObject(delayed);
    }
  });

  it('sends many concurrent guesses at a known pair to two instances, and few are hashed', async () => {
    const address = '192.0.2.23';
    const other = await startAuth(auth.database);
    other.stopClockAt(auth.now());
    await logIn('customer', address);
    await failAsOthers(address);
    const before = auth.hashes() + other.hashes();
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        refusal(logIn('customer', address, { password: 'guess', at: index % 2 ? auth : other })),
      ),
    );
    const looked = auth.hashes() + other.hashes() - before;
    await other.stop();
    // The tries of a known pair, and at most one more for each hash in flight on the two instances.
    expect(looked).toBeGreaterThanOrEqual(KNOWN_PAIR_TRIES);
    expect(looked).toBeLessThanOrEqual(KNOWN_PAIR_TRIES + 3);
  });
});
