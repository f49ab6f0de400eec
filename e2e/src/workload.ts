/** A handful of payments pushed through whatever happens, and the checks that each ended once and everywhere. */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import {
  balanceOf,
  eventually,
  logIn,
  openAccount,
  provenLedger,
  readDemo,
  type Session,
} from './platform.ts';
import { type Answer, type Body, expectStatus } from './rest.ts';

export interface People {
  operator: Session;
  auditor: Session;
  alice: Session;
  bob: Session;
}

export async function people(): Promise<People> {
  const demo = readDemo();
  const [operator, auditor, alice, bob] = (await Promise.all(
    ['operator', 'auditor', 'alice', 'bob'].map((username) => logIn(demo, username)),
  )) as [Session, Session, Session, Session];
  return { operator, auditor, alice, bob };
}

export interface Workload {
  from: Body;
  to: Body;
  keys: string[];
}

export const AMOUNT = 10;

/** Two accounts, and a key for each payment to come. The balance affords all of them. */
export async function prepare({ operator, alice, bob }: People, payments: number): Promise<Workload> {
  const from = await openAccount(operator, alice.user, payments * AMOUNT);
  const to = await openAccount(operator, bob.user, 0);
  return { from, to, keys: Array.from({ length: payments }, () => randomUUID()) };
}

/** Sends every payment at once, as a client does that retries with the same key until it knows. Gives the payments' ids. */
export function payAll({ alice }: People, { from, to, keys }: Workload): Promise<string[]> {
  const request = { from_account: from.id, to_account: to.id, amount: AMOUNT, currency: 'EUR' };
  return Promise.all(keys.map((key) => retryUntilKnown(() => alice.post('/v1/payments', request, { key }))));
}

const WORTH_RETRYING = [409, 429, 502, 503, 504];

async function retryUntilKnown(send: () => Promise<Answer>): Promise<string> {
  return eventually(
    async () => {
      const answer = await send();
      if (WORTH_RETRYING.includes(answer.status)) throw new Error(`still ${answer.status}`);
      return expectStatus(answer, 201, 202).id as string;
    },
    { withinMs: 30_000, everyMs: 200 },
  );
}

/** Each payment completed, once: the money, the ledger, the notifications and the counts all say so. */
export async function expectAllSettled(
  who: People,
  { from, to, keys }: Workload,
  ids: string[],
): Promise<void> {
  const { alice, bob, auditor } = who;
  expect(new Set(ids).size).toBe(keys.length);
  for (const id of ids) {
    await eventually(async () => {
      const { state } = expectStatus(await alice.get(`/v1/payments/${id}`), 200);
      expect(state).toBe('COMPLETED');
    });
  }
  expect(await balanceOf(alice, from.id)).toEqual({ posted: 0, held: 0, available: 0 });
  expect((await balanceOf(bob, to.id)).posted).toBe(keys.length * AMOUNT);
  await provenLedger(auditor);
  for (const id of ids) {
    expect((await everythingAbout(auditor, `/v1/ledger/entries?payment_id=${id}`, 2)).length).toBe(2);
    expect((await everythingAbout(auditor, `/v1/notifications?payment_id=${id}`, 2)).length).toBe(2);
  }
  await eventually(async () => {
    const { data } = expectStatus(await auditor.get(`/v1/analytics/accounts/${from.id}`), 200);
    expect(data[0]).toMatchObject({ sent_count: keys.length, amount_sent: keys.length * AMOUNT });
  });
}

/** The rows once there are at least `count`. More than that would be something done twice. */
function everythingAbout(session: Session, path: string, count: number): Promise<Body[]> {
  return eventually(async () => {
    const { data } = expectStatus(await session.get(path), 200);
    expect(data.length).toBeGreaterThanOrEqual(count);
    return data;
  });
}
