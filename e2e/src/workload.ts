/** Sends a few payments during failures, and checks that each ended exactly once in every service. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import {
  type Account,
  balanceOf,
  eventually,
  openAccount,
  type People,
  paymentOf,
  provenLedger,
} from './platform.ts';

export interface Workload {
  from: Account;
  to: Account;
  keys: string[];
}

export const AMOUNT = 10;

/** Two accounts, and a key for each payment. The balance covers all of them. */
export async function prepare({ operator, alice, bob }: People, payments: number): Promise<Workload> {
  const from = await openAccount(operator, alice.user, payments * AMOUNT);
  const to = await openAccount(operator, bob.user, 0);
  return { from, to, keys: Array.from({ length: payments }, () => randomUUID()) };
}

/** Sends all payments at once. The client repeats each with the same key until its outcome is known. Returns the ids. */
export function payAll({ alice }: People, { from, to, keys }: Workload): Promise<string[]> {
  const body = { from_account: from.id, to_account: to.id, amount: AMOUNT, currency: 'EUR' };
  return Promise.all(keys.map(async (key) => (await alice.api.post('/v1/payments', { body, key })).data.id));
}

/** Holds the money of every payment, before any failure. Returns the ids. */
export function holdAll({ alice }: People, { from, to, keys }: Workload): Promise<string[]> {
  const body = {
    from_account: from.id,
    to_account: to.id,
    amount: AMOUNT,
    currency: 'EUR',
    capture: 'manual' as const,
  };
  return Promise.all(keys.map(async () => (await alice.api.post('/v1/payments', { body })).data.id));
}

export async function captureAll({ alice }: People, { keys }: Workload, ids: string[]): Promise<void> {
  const captures = ids.map((id, index) =>
    alice.api.post('/v1/payments/{id}/capture', {
      params: { path: { id } },
      body: {},
      key: keys[index] ?? id,
    }),
  );
  await Promise.all(captures);
}

/** Entries and notifications of a payment with automatic capture. */
const AT_ONCE = { entries: 2, notifications: 2 };
/** The same for a captured hold: hold, release and transfer; two notifications for each side. */
export const CAPTURED_HOLD = { entries: 6, notifications: 4 };

/** Checks that each payment completed exactly once: money, ledger, notifications and analytics. */
export async function expectAllSettled(
  who: People,
  { from, to, keys }: Workload,
  ids: string[],
  { entries, notifications } = AT_ONCE,
): Promise<void> {
  const { alice, bob, auditor } = who;
  expect(new Set(ids).size).toBe(keys.length);
  await Promise.all(ids.map(async (id) => expect((await paymentOf(alice, id)).state).toBe('COMPLETED')));
  expect(await balanceOf(alice, from.id)).toEqual({ posted: 0, held: 0, available: 0 });
  expect((await balanceOf(bob, to.id)).posted).toBe(keys.length * AMOUNT);
  await provenLedger(auditor);
  const expectRows = async () => {
    await Promise.all(ids.map((id) => untilRows(who, '/v1/ledger/entries', id, entries)));
    await Promise.all(ids.map((id) => untilRows(who, '/v1/notifications', id, notifications)));
  };
  await expectRows();
  await eventually(async () => {
    const params = { path: { id: from.id } };
    const { data } = await auditor.api.get('/v1/analytics/accounts/{id}', { params });
    const sent = { sent_count: keys.length, amount_sent: String(keys.length * AMOUNT) };
    expect(data.data[0]).toMatchObject(sent);
  });
  // By now every consumer has worked off its backlog, so a redelivered event would have left its duplicate.
  await expectRows();
}

/** Waits until there are enough. More would be a duplicate. */
async function untilRows(
  { auditor }: People,
  path: '/v1/ledger/entries' | '/v1/notifications',
  payment_id: string,
  count: number,
): Promise<void> {
  const rows = await eventually(async () => {
    const { data } = await auditor.api.get(path, { params: { query: { payment_id } } });
    expect(data.data.length).toBeGreaterThanOrEqual(count);
    return data.data;
  });
  expect(rows.length).toBe(count);
}
