import { connectGrpc, type Neighbour, newId, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestDatabase,
  createTestIdentity,
  PATIENCE_MS,
  type TestDatabase,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { NotificationServiceClient, type NotificationServiceService } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordSteps } from '../src/app/record-steps.ts';
import type { PaymentStep } from '../src/domain/notice.ts';
import { notificationService } from '../src/rpc/notification-service.ts';
import type { Database } from '../src/store/database.ts';
import { withoutWebhooks } from './notification.ts';

const identity = createTestIdentity();
let database: TestDatabase;
let db: Kysely<Database>;
let client: Neighbour<typeof NotificationServiceService>;
const stopping: (() => unknown)[] = [];

beforeAll(async () => {
  database = await createTestDatabase({
    service: 'notification',
    migrations: new URL('../migrations/', import.meta.url),
  });
  db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    pageTokenKey: testPageTokenKey,
    certificates: testCertificates('notification'),
    verifier: identity.verifier,
    log: testLog,
  };
  const server = await serveGrpc(settings, [notificationService({ ...withoutWebhooks(db), figuresDb: db })]);
  client = connectGrpc(NotificationServiceClient, {
    target: `ipv4:127.0.0.1:${server.port}`,
    certificates: testCertificates('gateway'),
  });
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

/** Each step is a second later than the one before. */
let time = Date.parse('2026-01-01T00:00:00Z');

function stepBetween(sender: string, receiver: string): PaymentStep {
  time += 1_000;
  return {
    eventId: newId('evt'),
    type: 'payment.completed',
    occurredAt: new Date(time),
    paymentId: newId('pay'),
    version: 2n,
    amountMinor: 100n,
    movedMinor: 100n,
    capturedMinor: 100n,
    freedMinor: 0n,
    currency: 'EUR',
    failure: { code: '', message: '' },
    isCollected: false,
    description: '',
    reference: '',
    content: Buffer.alloc(0),
    sender: { accountId: `acct_${sender}`, ownerId: sender },
    receiver: { accountId: `acct_${receiver}`, ownerId: receiver },
  };
}

async function list(as: { id: string; role: 'customer' | 'auditor' }, request = {}) {
  const accessToken = await identity.tokenFor({ id: as.id, roles: [as.role] });
  const whole = { pageSize: 0, pageToken: '', paymentId: '', accountId: '', ...request };
  return client.listNotifications(whole, { deadlineMs: PATIENCE_MS, accessToken });
}

describe('recording notices', () => {
  it('notifies each side once, for repeated and concurrent deliveries of a message', async () => {
    const step = stepBetween('usr_once', 'usr_twice');
    await recordSteps({ db, wake: () => {} }, [step, step]);
    await Promise.all([1, 2, 3].map(() => recordSteps({ db, wake: () => {} }, [step])));
    const { notifications } = await list(
      { id: 'usr_auditor', role: 'auditor' },
      { paymentId: step.paymentId },
    );
    expect(notifications.map(({ recipientId }) => recipientId).sort()).toEqual(['usr_once', 'usr_twice']);
  });
});

describe('listing notifications', () => {
  it('shows a customer only its own', async () => {
    const step = stepBetween('usr_alice', 'usr_bob');
    await recordSteps({ db, wake: () => {} }, [step, stepBetween('usr_mallory', 'usr_eve')]);
    const { notifications } = await list({ id: 'usr_alice', role: 'customer' });
    expect(notifications).toHaveLength(1);
    expect(notifications[0]).toMatchObject({
      recipientId: 'usr_alice',
      paymentId: step.paymentId,
      amountMinor: 100n,
    });
    const foreign = await list({ id: 'usr_eve', role: 'customer' }, { paymentId: step.paymentId });
    expect(foreign.notifications).toEqual([]);
  });

  it('shows a customer nothing of another customer’s account, nor the other side of its own payment', async () => {
    const step = stepBetween('usr_carol', 'usr_dave');
    await recordSteps({ db, wake: () => {} }, [step]);
    const carol = { id: 'usr_carol', role: 'customer' } as const;
    const ofAccount = async (accountId: string) => {
      const { notifications } = await list(carol, { accountId });
      return notifications.map(({ recipientId }) => recipientId);
    };
    expect(await ofAccount('acct_usr_carol')).toEqual(['usr_carol']);
    expect(await ofAccount('acct_usr_dave')).toEqual([]);
    const { paymentId } = step;
    const { notifications } = await list(carol, { paymentId });
    expect(notifications.map(({ recipientId }) => recipientId)).toEqual(['usr_carol']);
    // Of several filters, each must match.
    const auditor = { id: 'usr_auditor', role: 'auditor' } as const;
    for (const [filter, expected] of [
      [{ paymentId, accountId: 'acct_usr_dave' }, ['usr_dave']],
      [{ paymentId, accountId: 'acct_usr_alice' }, []],
      [{ paymentId: newId('pay'), accountId: 'acct_usr_dave' }, []],
    ] as const) {
      const found = await list(auditor, filter);
      expect(found.notifications.map(({ recipientId }) => recipientId)).toEqual(expected);
    }
  });

  it('pages newest first by the time it shows, in whatever order they arrived, with nothing twice or skipped while rows are added', async () => {
    const steps = Array.from({ length: 25 }, () => stepBetween('usr_reader', 'usr_other'));
    const arrivals = steps.toSorted((a, b) =>
      (a.paymentId.at(-1) ?? '').localeCompare(b.paymentId.at(-1) ?? ''),
    );
    for (const step of arrivals) await recordSteps({ db, wake: () => {} }, [step]);
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await list({ id: 'usr_reader', role: 'customer' }, { pageSize: 10, pageToken });
      seen.push(...page.notifications.map(({ paymentId }) => paymentId));
      pageToken = page.nextPageToken;
      await recordSteps({ db, wake: () => {} }, [stepBetween('usr_reader', 'usr_other')]);
    } while (pageToken !== '');
    expect(seen).toEqual(steps.map(({ paymentId }) => paymentId).reverse());
  });

  it('is forbidden without a token, to services too', async () => {
    const withoutToken = client.listNotifications(
      { pageSize: 0, pageToken: '', paymentId: '', accountId: '' },
      { deadlineMs: PATIENCE_MS },
    );
    await expect(withoutToken).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  });
});

it('does not let the serving role change stored notifications', async () => {
  await recordSteps({ db, wake: () => {} }, [stepBetween('usr_x', 'usr_y')]);
  await expect(db.deleteFrom('notifications').execute()).rejects.toMatchObject({ code: '42501' });
  await expect(db.updateTable('notifications').set({ title: '' }).execute()).rejects.toMatchObject({
    code: '42501',
  });
});
