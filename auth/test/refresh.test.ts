import { status } from '@grpc/grpc-js';
import { PATIENCE_MS, type TestDatabase } from '@payflowx/chassis/testing';
import { createDecoder } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthServer,
  asOwner,
  createUsersAndClient,
  freshDatabase,
  PASSWORD,
  refusal,
  startAuth,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const invalid = { code: status.UNAUTHENTICATED, reason: 'INVALID_REFRESH_TOKEN' };
let database: TestDatabase;
let auth: AuthServer;

beforeAll(async () => {
  database = await freshDatabase();
  await createUsersAndClient(database);
  auth = await startAuth(database);
});
afterAll(async () => {
  await auth?.stop();
  await database?.drop();
});

async function login(): Promise<string> {
  const { tokens } = await auth.client.login({ username: 'customer', password: PASSWORD }, { deadlineMs });
  return tokens?.refreshToken ?? '';
}

async function refresh(refreshToken: string): Promise<string> {
  const { tokens } = await auth.client.refreshTokens({ refreshToken }, { deadlineMs });
  return tokens?.refreshToken ?? '';
}

describe('a refresh token', () => {
  it('is exchanged for the next one, several times', async () => {
    const first = await login();
    const second = await refresh(first);
    const third = await refresh(second);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('returns access tokens with the current roles', async () => {
    const refreshToken = await login();
    await asOwner(database, (db) =>
      db
        .updateTable('users')
        .set({ roles: ['auditor'] })
        .where('username', '=', 'customer')
        .execute(),
    );
    const { tokens } = await auth.client.refreshTokens({ refreshToken }, { deadlineMs });
    expect(createDecoder()(tokens?.accessToken ?? '').roles).toEqual(['auditor']);
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
    auth.skip(60_001);
    expect(await refusal(refresh(token))).toMatchObject(invalid);
  });

  it('is deleted when its family has expired and the user logs in again', async () => {
    await login();
    auth.skip(60_001);
    await login();
    const families = await asOwner(database, (db) =>
      db.selectFrom('refresh_families').select('id').execute(),
    );
    expect(families).toHaveLength(1);
  });

  it('is not stored in the clear', async () => {
    const token = await login();
    const hashes = await asOwner(database, (db) =>
      db.selectFrom('refresh_tokens').select('token_hash').execute(),
    );
    expect(hashes.some(({ token_hash }) => token_hash.equals(Buffer.from(token, 'base64url')))).toBe(false);
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
