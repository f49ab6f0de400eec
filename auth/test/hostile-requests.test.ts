import { callWithHostileRequests } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { createUsers, freshDatabase, startAuth, tokensOf } from './auth-server.ts';

it('no request makes an RPC fail', async () => {
  const database = await freshDatabase();
  await createUsers(database);
  const auth = await startAuth(database);
  const { operator } = await tokensOf(auth);
  const { calls, failures } = await callWithHostileRequests({
    target: auth.target,
    service: 'payflowx.auth.v1.AuthService',
    accessTokens: [operator],
  });
  await auth.stop();
  await database.drop();
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(500);
});
