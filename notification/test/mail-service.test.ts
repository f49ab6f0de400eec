import { status } from '@grpc/grpc-js';
import { connectGrpc, type Neighbour, newId, type RoleName, serveGrpc } from '@payflowx/chassis';
import { inTransaction, openDatabase } from '@payflowx/chassis/postgres';
import {
  attackedList,
  createTestDatabase,
  createTestIdentity,
  expectTokensToBeBound,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { MailServiceClient, MailServiceService, MailState } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordIdentityFacts } from '../src/app/record-identity-facts.ts';
import { recordSteps } from '../src/app/record-steps.ts';
import { mailService } from '../src/rpc/mail-service.ts';
import type { Database } from '../src/store/database.ts';
import { suppress } from '../src/store/mail-suppressions.ts';
import { contact, step } from './mail-platform.ts';

const identity = createTestIdentity();
let db: Kysely<Database>;
let client: Neighbour<MailServiceService>;
const stopping: (() => unknown)[] = [];

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  const database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const settings = { host: '127.0.0.1', port: 0, reflection: false, pageTokenKey: testPageTokenKey };
  const certificates = testCertificates('notification');
  const server = await serveGrpc({ ...settings, certificates, verifier: identity.verifier, log: testLog }, [
    mailService({ db, fromAddress: 'no-reply@payflowx.example', log: testLog }),
  ]);
  const target = `ipv4:127.0.0.1:${server.port}`;
  client = connectGrpc(MailServiceClient, { target, certificates: testCertificates() });
  stopping.push(
    () => client.close(),
    () => server.drain(),
    () => db.destroy(),
    () => database.drop(),
  );
});
afterAll(async () => {
  for (const stop of stopping) await stop();
});

const as = async (role: RoleName) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await identity.tokenFor({ id: newId('usr'), roles: [role] }),
});
const FIRST = { pageSize: 0, pageToken: '', userId: '', paymentId: '', state: MailState.UNSPECIFIED };

/** Stores a pending mail for each payment. */
async function pay(user: string, times: number): Promise<void> {
  await recordIdentityFacts({ db }, [contact(user)]);
  for (let n = 0; n < times; n += 1) {
    await recordSteps({ db, wake: () => {}, addMailJobs: async () => undefined }, [step(user, '')]);
  }
}

async function suppressed(): Promise<string> {
  const address = `${newId('usr')}@example.org`;
  await inTransaction(db, (trx) =>
    suppress(trx, { address, response: '550 no', mailId: newId('mail'), now: new Date() }),
  );
  return address;
}

it('lists mails newest first, page by page, by user and state, without their texts', async () => {
  const [user, other] = [newId('usr'), newId('usr')];
  await pay(user, 3);
  await pay(other, 1);
  const call = await as('auditor');
  const first = await client.listMails({ ...FIRST, userId: user, pageSize: 2 }, call);
  const second = await client.listMails(
    { ...FIRST, userId: user, pageSize: 2, pageToken: first.nextPageToken },
    call,
  );
  const ids = [...first.mails, ...second.mails].map(({ id }) => id);
  expect(ids).toEqual(ids.toSorted().reverse());
  expect([new Set(ids).size, second.nextPageToken]).toEqual([3, '']);
  expect(first.mails[0]).toMatchObject({
    ...{ userId: user, kind: 'payment', subjectType: 'payment.completed', state: MailState.PENDING },
    ...{ attempts: 0, reason: '', messageId: `<${ids[0]}@payflowx.example>` },
  });
  expect(
    JSON.stringify(first.mails, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
  ).not.toContain('12.50');
  const [{ paymentId = '' } = {}] = first.mails;
  const ofPayment = await client.listMails({ ...FIRST, paymentId }, call);
  expect(ofPayment.mails.map(({ id }) => id)).toEqual([ids[0]]);
  const failed = await client.listMails({ ...FIRST, state: MailState.FAILED }, call);
  expect(failed.mails).toEqual([]);
});

it('lists mails that match both filters, of a user and a state', async () => {
  const [user, other] = [newId('usr'), newId('usr')];
  await pay(user, 2);
  await pay(other, 1);
  const call = await as('operator');
  const usersOf = async (filter: object) =>
    (await client.listMails({ ...FIRST, ...filter }, call)).mails.map(({ userId }) => userId);
  expect(await usersOf({ userId: user, state: MailState.PENDING })).toEqual([user, user]);
  expect(await usersOf({ userId: user, state: MailState.SENT })).toEqual([]);
  expect(await usersOf({ userId: other })).toEqual([other]);
});

it('lists suppressed addresses, and lifts one once', async () => {
  const addresses = [await suppressed(), await suppressed()];
  const call = await as('operator');
  const list = async () =>
    (await client.listMailSuppressions({ pageSize: 0, pageToken: '' }, call)).suppressions;
  expect((await list()).map(({ address }) => address)).toEqual(addresses.toReversed());
  const suppressionId = (await list())[0]?.id ?? '';
  await client.liftMailSuppression({ suppressionId }, call);
  expect((await list()).map(({ address }) => address)).toEqual([addresses[0]]);
  await expect(client.liftMailSuppression({ suppressionId }, call)).rejects.toMatchObject({
    ...{ code: status.NOT_FOUND, reason: 'SUPPRESSION_NOT_FOUND' },
  });
});

it.each<[RoleName, ...boolean[]]>([
  ['operator', true, true, true],
  ['auditor', true, true, false],
  ['customer', false, false, false],
  ['admin', false, false, false],
])('is open to %s: mails %s, suppressions %s, lifting one %s', async (role, ...expected) => {
  const call = await as(role);
  const results = await Promise.allSettled([
    client.listMails(FIRST, call),
    client.listMailSuppressions({ pageSize: 0, pageToken: '' }, call),
    client.liftMailSuppression({ suppressionId: 'sup_none' }, call),
  ]);
  const isDenied = results.map(
    (result) => result.status === 'rejected' && result.reason.code === status.PERMISSION_DENIED,
  );
  expect(isDenied.map((denied) => !denied)).toEqual(expected);
});

it('accepts a page token only for its own list, caller and filters', async () => {
  await pay(newId('usr'), 3);
  await suppressed();
  await suppressed();
  const caller = await as('operator');
  const otherCallers = [await as('auditor'), await as('operator')];
  await expectTokensToBeBound([MailServiceService], {
    listMails: attackedList({
      call: client.listMails,
      filters: { userId: '', paymentId: '', state: MailState.UNSPECIFIED },
      as: caller,
      otherCallers,
      otherFilters: [{ userId: 'usr_x' }, { paymentId: 'pay_x' }, { state: MailState.PENDING }],
    }),
    listMailSuppressions: attackedList({
      call: client.listMailSuppressions,
      filters: {},
      as: caller,
      otherCallers,
      otherFilters: [],
    }),
  });
});
