/** Detects when all stages have caught up with a run. The polls are cheap, so they do not slow the stages. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Books, type Expected, type ReadDeps, readTotals } from './books.ts';
import { isInLedger, isNotified, type Stage } from './stage-lag.ts';

const TIMEOUT_MS = 300_000;
const POLL_EVERY_MS = 20;
const CONCURRENT_POLLS = 8;
/** The notification queue is one, in order. So the last few notifications are enough. */
const LAST_NOTIFIED = 8;

/** Times, in milliseconds since 1970, at which each stage had caught up. Undefined if it never did. */
export type LevelTimes = Record<Stage, number | undefined>;

/**
 * `lastPayments` are the last ones of the run. They are spread over all partitions, and each partition is in order; so the ledger
 * has caught up when it has these. The full check follows after the run.
 */
export async function waitUntilLevel(
  deps: ReadDeps,
  { lastPayments, before, expected }: { lastPayments: readonly string[]; before: Books; expected: Expected },
): Promise<LevelTimes> {
  const until = performance.now() + TIMEOUT_MS;
  const [ledger, analytics, notification] = await Promise.all([
    untilTrue(until, () => all(lastPayments, (id) => isInLedger(deps, id))),
    untilTrue(until, () => hasCounted(deps, before, expected)),
    untilTrue(until, () => all(lastPayments.slice(-LAST_NOTIFIED), (id) => isNotified(deps, id))),
  ]);
  return { ledger, analytics, notification };
}

async function hasCounted(deps: ReadDeps, before: Books, expected: Expected): Promise<boolean> {
  const now = await readTotals(deps);
  const keys = ['initiated', 'completed', 'failed', 'cancelled', 'refunds'] as const;
  return keys.every((key) => now[key] - before[key] >= expected[key]);
}

async function untilTrue(until: number, look: () => Promise<boolean>): Promise<number | undefined> {
  while (performance.now() < until) {
    if (await look().catch(() => false)) return Date.now();
    await pause(POLL_EVERY_MS);
  }
  return undefined;
}

/** Returns true if all pass; stops at the first that does not. */
async function all(ids: readonly string[], look: (id: string) => Promise<boolean>): Promise<boolean> {
  const queue = ids.values();
  let holds = true;
  const work = async () => {
    for (const id of queue) {
      if (!holds) return;
      if (!(await look(id))) holds = false;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_POLLS }, work));
  return holds;
}
