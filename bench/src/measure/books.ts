/** The counts of ledger, analytics and notifications, and the expected counts after a run. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Tally } from '../load/tally.ts';
import { expectStatus, type Rest } from '../platform/rest.ts';
import type { Session } from '../platform/session.ts';

export interface ReadDeps {
  rest: Rest;
  /** A user who sees all data and may call the proof. */
  operator: Session;
}

/** All-time counts, as far as the stages have processed events. */
export interface Books {
  initiated: number;
  completed: number;
  failed: number;
  cancelled: number;
  refunds: number;
  ledgerTransactions: number;
  /** The newest notification, or undefined if there is none. */
  newestNotification: string | undefined;
}

/** The minimum and maximum that a run can have added. They differ by the requests with unknown outcome. */
export type Expected = Record<'initiated' | 'completed' | 'failed' | 'cancelled' | 'refunds', number> & {
  ledgerTransactions: number;
  notifications: number;
  unknown: number;
};

export function expectedOf(tally: Tally): Expected {
  const { completed, authorized, declined, captured, cancelled, refunded, unknown } = tally;
  const events = completed + authorized + captured + cancelled + refunded;
  return {
    initiated: completed + authorized + declined,
    completed: completed + captured,
    failed: declined,
    cancelled,
    refunds: refunded,
    // Every event that moves or holds money is one transaction of the journal. It notifies payer and receiver.
    ledgerTransactions: events,
    notifications: 2 * events + declined,
    unknown,
  };
}

const CURRENCY = 'EUR';

export async function readTotals({ rest, operator }: ReadDeps) {
  const path = `/v1/analytics/summary?currency=${CURRENCY}`;
  const { data } = expectStatus(await rest.get(path, operator.authorization()), 200);
  const [totals] = data;
  return {
    initiated: Number(totals?.initiated_count ?? 0),
    completed: Number(totals?.completed_count ?? 0),
    failed: Number(totals?.failed_count ?? 0),
    cancelled: Number(totals?.cancelled_count ?? 0),
    refunds: Number(totals?.refund_count ?? 0),
  };
}

export interface Proof {
  holds: boolean;
  event_lag: number | null;
  transaction_count: number;
  entry_count: number;
  difference_count: number;
  account_count: number;
  open_hold_count: number;
}

const PROOF_WITHIN_MS = 60_000;

/** Returns the ledger's proof once it holds and no event is pending, or the last failed proof after the timeout. */
export async function readProof({ rest, operator }: ReadDeps, withinMs = PROOF_WITHIN_MS): Promise<Proof> {
  const until = performance.now() + withinMs;
  for (;;) {
    const answer = await rest.get('/v1/ledger/proof', operator.authorization());
    if (answer.status === 200) {
      const proof: Proof = answer.json();
      if ((proof.holds && proof.event_lag === 0) || performance.now() > until) return proof;
    } else if (performance.now() > until) expectStatus(answer, 200);
    await pause(500);
  }
}

/** Reads the counts once no event is pending. */
export async function readBooks(deps: ReadDeps): Promise<Books> {
  const proof = await readProof(deps, QUIET_TIMEOUT_MS);
  if (!proof.holds)
    throw new Error(`The ledger proof fails before anything was sent: ${JSON.stringify(proof)}`);
  const until = performance.now() + QUIET_TIMEOUT_MS;
  let before = '';
  for (;;) {
    const [totals, newestNotification] = await Promise.all([readTotals(deps), readNewestNotification(deps)]);
    const books = { ...totals, ledgerTransactions: Number(proof.transaction_count), newestNotification };
    const now = JSON.stringify(books);
    if (now === before) return books;
    if (performance.now() > until)
      throw new Error(
        'Events keep arriving without load from the bench. Does another client use the platform?',
      );
    before = now;
    await pause(QUIET_MS);
  }
}

const QUIET_TIMEOUT_MS = 300_000;
/** Without a new event for this long, none is pending. */
const QUIET_MS = 1_500;

export async function readNewestNotification({ rest, operator }: ReadDeps): Promise<string | undefined> {
  const page = expectStatus(await rest.get('/v1/notifications?limit=1', operator.authorization()), 200);
  return page.data[0]?.id;
}

/** Counts the notifications after this one, one by one, which also proves that none is lost or duplicated. */
export async function countNotificationsSince(
  { rest, operator }: ReadDeps,
  since: string | undefined,
): Promise<number> {
  const seen = new Set<string>();
  let cursor = '';
  for (;;) {
    const path = `/v1/notifications?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = expectStatus(await rest.get(path, operator.authorization()), 200);
    for (const { id } of page.data as { id: string }[]) {
      if (since !== undefined && id <= since) return seen.size;
      seen.add(id);
    }
    if (page.next_cursor === null) return seen.size;
    cursor = page.next_cursor;
  }
}
