/**
 * Decides whether a run counts: nothing lost, nothing duplicated, the ledger's proof holds, replays got their first responses.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Tally } from '../load/tally.ts';
import {
  type Books,
  countNotificationsSince,
  type Expected,
  type ReadDeps,
  readNewestNotification,
  readProof,
  readTotals,
} from './books.ts';

export interface Verdict {
  /** Empty if the run counts. */
  problems: string[];
  /** The counts now, at which the next run begins. */
  after: Books;
}

/** Maximum wait for late messages. A run that needs it shows that in its `caught up after`. */
const WITHIN_MS = 30_000;

export async function verify(
  deps: ReadDeps,
  { before, expected, tally }: { before: Books; expected: Expected; tally: Tally },
): Promise<Verdict> {
  const problems: string[] = [];
  const proof = await readProof(deps);
  if (!proof.holds) problems.push(`the ledger proof fails: ${proof.difference_count} accounts differ`);
  if (proof.event_lag !== 0) problems.push(`the ledger still has ${proof.event_lag} events to consume`);

  const totals = await readTotals(deps);
  const ledgerTransactions = Number(proof.transaction_count);
  const added = {
    initiated: totals.initiated - before.initiated,
    completed: totals.completed - before.completed,
    failed: totals.failed - before.failed,
    cancelled: totals.cancelled - before.cancelled,
    refunds: totals.refunds - before.refunds,
    ledgerTransactions: ledgerTransactions - before.ledgerTransactions,
    notifications: await settledNotifications(deps, before, expected),
  };
  for (const [what, count] of Object.entries(added)) {
    problems.push(...difference(what, count, expected[what as keyof typeof added], expected.unknown));
  }
  problems.push(...(await undecided(deps)));
  if (tally.replayViolations > 0) {
    problems.push(`${tally.replayViolations} replays without their first answer: ${tally.violations[0]}`);
  }
  const newestNotification = await readNewestNotification(deps);
  return { problems, after: { ...totals, ledgerTransactions, newestNotification } };
}

/** An unknown request may have been executed: up to two events with two notifications each. */
function difference(what: string, count: number, least: number, unknown: number): string[] {
  const most = least + unknown * (what === 'notifications' ? 4 : 2);
  if (count < least) return [`${least - count} of ${least} ${what} are LOST`];
  if (count > most) return [`${count - most} ${what} too many: doubled, or somebody else used the platform`];
  return [];
}

async function settledNotifications(deps: ReadDeps, before: Books, expected: Expected): Promise<number> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const count = await countNotificationsSince(deps, before.newestNotification);
    if (count >= expected.notifications || performance.now() > until) return count;
    await pause(500);
  }
}

async function undecided({ rest, operator }: ReadDeps): Promise<string[]> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    const path = '/v1/payments?state=INITIATED&limit=1';
    const answer = await rest.get(path, operator.authorization());
    if (answer.status === 200 && answer.json().data.length === 0) return [];
    if (performance.now() > until) return ['payments are still INITIATED'];
    await pause(500);
  }
}
