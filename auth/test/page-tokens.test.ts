import { attackedList, expectTokensToBeBound, PATIENCE_MS } from '@payflowx/chassis/testing';
import { AuthServiceService, Role } from '@payflowx/proto/auth';
import { createDecoder } from 'fast-jwt';
import { afterAll, beforeAll, it } from 'vitest';
import { type AuthWithUsers, newUserRequest, PASSWORD, startAuthWithUsers, tokensOf } from './auth-server.ts';

let auth: AuthWithUsers;
beforeAll(async () => {
  auth = await startAuthWithUsers();
});
afterAll(() => auth?.stop());

it('accepts a page token only for its own list, caller and filters', async () => {
  const { client } = auth;
  const tokens = await tokensOf(auth);
  const as = (accessToken: string) => ({ deadlineMs: PATIENCE_MS, accessToken });
  const admin = as(tokens.admin);
  const second = { username: 'second', password: PASSWORD };
  const { user } = await client.createUser(newUserRequest({ ...second, roles: [Role.ADMIN] }), admin);
  const userId = user?.id ?? '';
  // Lists of sessions need a second page.
  await tokensOf(auth);
  const adminId = createDecoder()(tokens.admin).sub;
  const { tokens: pair } = await client.login(second, { deadlineMs: PATIENCE_MS });
  for (const name of ['Shop', 'Till']) {
    const wanted = { requestId: '', name, userId, scopes: ['payments:read'] };
    await client.createApiClient(wanted, admin);
  }

  const other = as(pair?.accessToken ?? '');
  const auditor = as(tokens.auditor);
  await expectTokensToBeBound([AuthServiceService], {
    listUsers: attackedList({
      call: client.listUsers,
      filters: { username: undefined },
      as: admin,
      otherCallers: [other],
      otherFilters: [{ username: 'second' }],
    }),
    listSessions: attackedList({
      call: client.listSessions,
      filters: {},
      as: admin,
      otherCallers: [other],
      otherFilters: [],
    }),
    listUserSessions: attackedList({
      call: client.listUserSessions,
      filters: { userId: adminId },
      as: admin,
      otherCallers: [other],
      otherFilters: [{ userId }],
    }),
    listApiClients: attackedList({
      call: client.listApiClients,
      filters: { userId },
      as: admin,
      otherCallers: [other, auditor],
      otherFilters: [{ userId: '' }, { userId: 'usr_other' }],
    }),
    listIdentityAuditRecords: attackedList({
      call: client.listIdentityAuditRecords,
      filters: { subjectId: '', actorId: '', action: 'client.created' },
      as: admin,
      otherCallers: [other, auditor],
      otherFilters: [{ action: '' }, { action: 'user.created' }, { actorId: userId }, { subjectId: userId }],
    }),
  });
});
