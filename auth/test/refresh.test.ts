import { status } from '@grpc/grpc-js';
import { newId } from '@payflowx/chassis';
import { eventually, PATIENCE_MS } from '@payflowx/chassis/testing';
import { createDecoder } from 'fast-jwt';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureUser } from '../src/app/ensure-identities.ts';
import { login as loginWith } from '../src/app/login.ts';
import { createPasswordHasher } from '../src/app/password-hasher.ts';
import { refreshTokens } from '../src/app/refresh-tokens.ts';
import { hashOf, REPEAT_WITHIN_MS } from '../src/domain/refresh-token.ts';
import { deleteExpiredFamilies, insertFamily } from '../src/store/refresh-families.ts';
import {
  type AuthWithUsers,
  asOwner,
  PASSWORD,
  refusal,
  SESSIONS,
  startAuthWithUsers,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const invalid = { code: status.UNAUTHENTICATED, reason: 'INVALID_REFRESH_TOKEN' };
let auth: AuthWithUsers;

beforeAll(async () => {
  auth = await startAuthWithUsers();
});
afterAll(() => auth?.stop());

async function login(): Promise<string> {
  const { tokens } = await auth.client.login({ username: 'customer', password: PASSWORD }, { deadlineMs });
  return tokens?.refreshToken ?? '';
}

async function refresh(refreshToken: string, requestId = ''): Promise<string> {
  const { tokens } = await auth.client.refreshTokens({ refreshToken, requestId }, { deadlineMs });
  return tokens?.refreshToken ?? '';
}

const familiesOf = () =>
  asOwner(auth.database, (db) =>
    db.selectFrom('refresh_families').select(['id', 'secret_hash', 'token_hash']).execute(),
  );

describe('a refresh token', () => {
  it('is exchanged for the next one, several times', async () => {
    const first = await login();
    const second = await refresh(first);
    const third = await refresh(second);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('returns access tokens with the current roles', async () => {
    const refreshToken = await login();
    const setRoles = (role: 'auditor' | 'customer') =>
      asOwner(auth.database, (db) =>
        db
          .updateTable('users')
          .set({ roles: [role] })
          .where('username', '=', 'customer')
          .execute(),
      );
    await setRoles('auditor');
    const { tokens } = await auth.client.refreshTokens({ refreshToken, requestId: '' }, { deadlineMs });
    expect(createDecoder()(tokens?.accessToken ?? '').roles).toEqual(['auditor']);
    await setRoles('customer');
  });

  it('revokes its whole family when it is used a second time', async () => {
    const first = await login();
    const second = await refresh(first);
    const bystander = await login();
    expect(await refusal(refresh(first))).toMatchObject(invalid);
    expect(await refusal(refresh(second))).toMatchObject(invalid);
    // Another login of the same user is another family.
    await refresh(bystander);
  });

  it('revokes its whole family when it is used again after many others', async () => {
    const first = await login();
    let newest = first;
    for (let times = 0; times < 5; times += 1) newest = await refresh(newest);
    expect(await refusal(refresh(first))).toMatchObject(invalid);
    expect(await refusal(refresh(newest))).toMatchObject(invalid);
  });

  it('has one winner of two concurrent uses, and then the family is revoked', async () => {
    for (let round = 0; round < 10; round += 1) {
      const token = await login();
      const results = await Promise.allSettled([refresh(token), refresh(token), refresh(token)]);
      const won = results.filter((result) => result.status === 'fulfilled');
      expect(won).toHaveLength(1);
      expect(await refusal(refresh(won[0]?.value ?? ''))).toMatchObject(invalid);
    }
  });

  it('is refused when it is unknown, empty or too old', async () => {
    const token = await login();
    expect(await refusal(refresh('unknown'))).toMatchObject(invalid);
    expect(await refusal(refresh(''))).toMatchObject(invalid);
    expect(await refusal(refresh('a'.repeat(86)))).toMatchObject(invalid);
    auth.skip(SESSIONS.refreshLifetimeMs);
    expect(await refusal(refresh(token))).toMatchObject(invalid);
  });

  it('ends with its session, however often it is refreshed', async () => {
    auth.stopClockAt(new Date(Date.now() + 3_600_000));
    let token = await login();
    for (let age = 0; age < 3; age += 1) {
      auth.skip(SESSIONS.sessionLifetimeMs / 3 - 1);
      token = await refresh(token);
    }
    auth.skip(3);
    expect(await refusal(refresh(token))).toMatchObject(invalid);
  });

  it('adds no row when it is refreshed, and is deleted after its session has expired', async () => {
    let token = await login();
    const { length } = await familiesOf();
    for (let times = 0; times < 3; times += 1) token = await refresh(token);
    expect(await familiesOf()).toHaveLength(length);
    auth.skip(SESSIONS.sessionLifetimeMs);
    const living = await login();
    await deleteExpiredFamilies(auth.db, auth.now());
    expect(await familiesOf()).toHaveLength(1);
    await refresh(living);
  });

  it('is not stored in the clear', async () => {
    const token = await login();
    const stored = (await familiesOf()).flatMap(({ secret_hash, token_hash }) => [secret_hash, token_hash]);
    expect(stored.every((hash) => hash?.length === 32)).toBe(true);
    const parts = [token.slice(0, 43), token.slice(43)].map((part) => Buffer.from(part, 'base64url'));
    expect(stored.some((hash) => parts.some((part) => hash?.equals(part)))).toBe(false);
  });
});

describe('a refresh with a request id', () => {
  it('can be retried after a lost response: the session continues with the newest pair', async () => {
    const first = await login();
    await refresh(first, 'r-1');
    const second = await refresh(first, 'r-1');
    const third = await refresh(second, 'r-2');
    await refresh(third);
  });

  it('succeeds for two concurrent retries, and only the newest pair stays valid', async () => {
    const first = await login();
    const pairs = await Promise.all([refresh(first, 'r-1'), refresh(first, 'r-1')]);
    expect(new Set(pairs).size).toBe(2);
    const newest = (await familiesOf()).map(({ token_hash }) => token_hash?.toString('hex'));
    const isNewest = (token: string) => newest.includes(hashOf(token.slice(43)).toString('hex'));
    expect(pairs.filter(isNewest)).toHaveLength(1);
    await refresh(pairs.find(isNewest) ?? '');
  });

  it('of a thief who repeats the request ends the session as soon as the victim continues', async () => {
    const stolen = await login();
    const victims = await refresh(stolen, 'r-1');
    const thiefs = await refresh(stolen, 'r-1');
    expect(await refusal(refresh(victims, 'r-2'))).toMatchObject(invalid);
    expect(await refusal(refresh(thiefs, 'r-3'))).toMatchObject(invalid);
  });

  it('of a thief who is first ends the session when the victim refreshes', async () => {
    const stolen = await login();
    const thiefs = await refresh(stolen, 'r-1');
    expect(await refusal(refresh(stolen, 'r-2'))).toMatchObject(invalid);
    expect(await refusal(refresh(thiefs, 'r-3'))).toMatchObject(invalid);
  });

  it('is a reuse once the next pair was used, or after a minute', async () => {
    const first = await login();
    const second = await refresh(first, 'r-1');
    const third = await refresh(second, 'r-2');
    expect(await refusal(refresh(first, 'r-1'))).toMatchObject(invalid);
    expect(await refusal(refresh(third))).toMatchObject(invalid);

    const slow = await login();
    await refresh(slow, 'r-1');
    auth.skip(REPEAT_WITHIN_MS);
    expect(await refusal(refresh(slow, 'r-1'))).toMatchObject(invalid);
  });

  it('spends nothing if its access token cannot be signed', async () => {
    const token = await login();
    const deps = {
      db: auth.db,
      sessions: SESSIONS,
      factorPolicy: [],
      now: auth.now,
      onReuse: () => undefined,
      accessTokenSigner: async () => () => {
        throw new Error('no key');
      },
    };
    const failing = refreshTokens(deps, { refreshToken: token, requestId: '' });
    await expect(failing).rejects.toThrow('no key');
    await refresh(token);
  });
});

describe('a password reset during a login', () => {
  const resetTo = (password: string) =>
    asOwner(auth.database, async (db) => {
      const passwords = await createPasswordHasher({ concurrency: 1, queueMax: 1 });
      const deps = { db, passwords, now: auth.now, newUserId: () => 'usr_x' };
      await ensureUser(deps, { username: 'auditor', password, roles: ['auditor'] });
    });
  const logIn = (before: () => Promise<void>) =>
    loginWith(
      {
        db: auth.db,
        sessions: SESSIONS,
        factorPolicy: [],
        passkeys: undefined,
        now: auth.now,
        newFamilyId: () => newId('fam'),
        accessTokenSigner: async () => {
          await before();
          return () => ({ accessToken: '', expiresIn: 300 });
        },
        onFailure: () => undefined,
        // The password has verified when the reset begins.
        passwords: {
          inTurn: (_, work) =>
            work(
              async () => true,
              async () => '',
            ),
        },
      },
      { username: 'auditor', password: PASSWORD, address: '192.0.2.1' },
    );
  const living = () =>
    auth.db
      .selectFrom('refresh_families')
      .innerJoin('users', 'users.id', 'user_id')
      .select('refresh_families.id')
      .where('username', '=', 'auditor')
      .where('revoked_at', 'is', null)
      .execute();

  it('leaves no session behind if it commits first', async () => {
    const refused = logIn(() => resetTo('the first new password'));
    await expect(refused).rejects.toMatchObject({ reason: 'INVALID_CREDENTIALS' });
    expect(await living()).toEqual([]);
  });

  it('leaves no session behind if it runs at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      let reset: Promise<void> | undefined;
      const attempts = Array.from({ length: 3 }, () =>
        logIn(async () => {
          reset ??= resetTo(`another new password ${round}`);
        }),
      );
      await Promise.allSettled(attempts);
      await reset;
      expect(await living()).toEqual([]);
    }
  });

  it('waits for a login that has stored its session, and revokes it', async () => {
    const reset = await auth.db.transaction().execute(async (trx) => {
      const { id } = await trx
        .selectFrom('users')
        .select('id')
        .where('username', '=', 'auditor')
        .executeTakeFirstOrThrow();
      const hash = Buffer.alloc(32, 1);
      const [createdAt, expiresAt] = [auth.now(), new Date(auth.now().getTime() + 60_000)];
      const family = {
        id: newId('fam'),
        userId: id,
        secretHash: hash,
        tokenHash: hash,
        secondFactor: false,
        createdAt,
        expiresAt,
      };
      await insertFamily(trx, family);
      const reset = resetTo('the last new password');
      await untilBlocked();
      return { done: reset };
    });
    await reset.done;
    expect(await living()).toEqual([]);
  });

  /** Resolves when a session of the auth.database waits for a lock. */
  const untilBlocked = () =>
    eventually(async () => {
      const { rows } = await sql`
        select pid from pg_locks join pg_stat_activity using (pid)
        where datname = current_database() and not granted`.execute(auth.db);
      expect(rows).toHaveLength(1);
    });
});

describe('a logout', () => {
  const logout = (refreshToken: string) => auth.client.logout({ refreshToken }, { deadlineMs });

  it('ends the family, by any of its tokens', async () => {
    const first = await login();
    const second = await refresh(first);
    await logout(first);
    expect(await refusal(refresh(second))).toMatchObject(invalid);
    await logout(first);
  });

  it('returns no error for an unknown token', async () => {
    expect(await logout('unknown')).toEqual({});
    expect(await logout('')).toEqual({});
  });
});
