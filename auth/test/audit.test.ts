import { status } from '@grpc/grpc-js';
import { runInTrace, traceFrom } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import type { ListIdentityAuditRecordsRequest } from '@payflowx/proto/auth';
import { createDecoder } from 'fast-jwt';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type AuthWithUsers,
  asOwner,
  newUserRequest,
  PASSWORD,
  refusal,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;
let tokens: Awaited<ReturnType<typeof tokensOf>>;
let adminId: string;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  tokens = await tokensOf(auth);
  adminId = createDecoder()(tokens.admin).sub;
});
afterAll(() => auth?.stop());

const asAdmin = () => ({ deadlineMs, accessToken: tokens.admin });

function list(changed: Partial<ListIdentityAuditRecordsRequest> = {}, accessToken = tokens.auditor) {
  const all = { pageSize: 100, pageToken: '', subjectId: '', actorId: '', action: '' };
  return auth.client.listIdentityAuditRecords({ ...all, ...changed }, { deadlineMs, accessToken });
}

const newUser = (username: string) => newUserRequest({ requestId: `r-${username}`, username });

it('records who did what, when and in which request, and contains no secret', async () => {
  const trace = traceFrom(undefined);
  const { userId, clientId, secret, nextKid } = await runInTrace(trace, async () => {
    const { user } = await auth.client.createUser(newUser('lena'), asAdmin());
    const wanted = { requestId: '', name: 'Shop', userId: user?.id ?? '', scopes: ['payments:read'] };
    const { client, clientSecret } = await auth.client.createApiClient(wanted, asAdmin());
    const request = { clientId: client?.id ?? '' };
    await auth.client.rotateApiClientSecret(request, asAdmin());
    await auth.client.revokeApiClient(request, asAdmin());
    const { nextKid } = await auth.client.rotateSigningKey({}, asAdmin());
    return { userId: user?.id, clientId: client?.id, secret: clientSecret, nextKid };
  });
  const { records } = await list({ actorId: adminId });
  expect(records.map(({ action, subjectId }) => [action, subjectId])).toEqual([
    ['key.rotated', nextKid],
    ['client.revoked', clientId],
    ['client.secret_rotated', clientId],
    ['client.created', clientId],
    ['user.created', userId],
  ]);
  // The calls have one trace, because their caller chose it. Each has an id of its own.
  expect(new Set(records.map(({ callId }) => callId)).size).toBe(records.length);
  for (const record of records) {
    expect(record).toMatchObject({ actorId: adminId, clientId: '', traceId: trace.traceId });
    expect(record.callId).toMatch(/^call_/);
    expect(Date.now() - (record.createdAt?.getTime() ?? 0)).toBeLessThan(60_000);
    expect(record.detailsJson).not.toContain(secret);
    expect(record.detailsJson).not.toContain(PASSWORD);
  }
  expect(JSON.parse(records.at(-1)?.detailsJson ?? '')).toEqual({ username: 'lena', roles: ['customer'] });
});

it('has no record of changes that were already done or were refused', async () => {
  const before = (await list()).records.length;
  await auth.client.createUser(newUser('lena'), asAdmin());
  await refusal(auth.client.createUser({ ...newUser('lena'), requestId: '' }, asAdmin()));
  await auth.client.rotateSigningKey({}, asAdmin());
  expect((await list()).records).toHaveLength(before);
});

it('names the operator command and the service itself as actors', async () => {
  const { records } = await list({ actorId: 'command' });
  expect(records.map(({ action }) => action).toSorted()).toEqual([
    'user.created',
    'user.created',
    'user.created',
    'user.created',
  ]);
});

it('pages newest first, without duplicates or gaps while records are added', async () => {
  const before = (await list()).records.map(({ id }) => id);
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await list({ pageSize: 2, pageToken });
    seen.push(...page.records.map(({ id }) => id));
    pageToken = page.nextPageToken;
    await auth.client.createUser(newUser(`more-${seen.length}`), asAdmin());
  } while (pageToken !== '');
  expect(seen).toEqual(before);
});

it('is found by subject and by action', async () => {
  const { records } = await list({ action: 'client.created', actorId: adminId });
  expect(records).toHaveLength(1);
  const bySubject = await list({ subjectId: records[0]?.subjectId ?? '' });
  expect(bySubject.records.map(({ action }) => action)).toEqual([
    'client.revoked',
    'client.secret_rotated',
    'client.created',
  ]);
  for (const wrong of [{ action: 'user.praised' }, { subjectId: 'a b' }, { actorId: '\0' }]) {
    expect(await refusal(list(wrong))).toMatchObject({ code: status.INVALID_ARGUMENT });
  }
});

it('is readable by admins, operators and auditors only', async () => {
  for (const accessToken of [tokens.admin, tokens.operator]) await list({}, accessToken);
  expect(await refusal(list({}, tokens.customer))).toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
});

it.each([
  `UPDATE identity_audit_records SET actor_id = 'usr_x'`,
  'DELETE FROM identity_audit_records',
  'TRUNCATE identity_audit_records',
])('cannot be changed even by the owner: %s', async (statement) => {
  await asOwner(auth.database, (db) => expect(sql.raw(statement).execute(db)).rejects.toThrow(/append-only/));
});
