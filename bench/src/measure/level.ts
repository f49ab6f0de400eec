/** When everything that a run began has arrived everywhere. Looks that cost little, so that looking does not slow it. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Books, type Expected, type ReadDeps, readTotals } from './books.ts';
import { isInLedger, isNotified, type Stage } from './stage-lag.ts';

const GIVE_UP_MS = 300_000;
const LOOK_EVERY_MS = 20;
const LOOKS_AT_ONCE = 8;
/** The queue of notifications is one, and in order; so the last few tell. */
const LAST_NOTIFIED = 8;

/** Moments, in milliseconds since 1970, at which each stage had all of it; undefined where it never had. */
export type LevelTimes = Record<Stage, number | undefined>;

/**
 * `lastPayments` are the run's last: the ledger has all when it has these, since they are spread over all partitions and
 * each partition is in order. Whether it was really all is proven afterwards, at leisure.
 */
export async function waitUntilLevel(
  deps: ReadDeps,
  { lastPayments, before, expected }: { lastPayments: readonly string[]; before: Books; expected: Expected },
): Promise<LevelTimes> {
  const until = performance.now() + GIVE_UP_MS;
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
    await pause(LOOK_EVERY_MS);
  }
  return undefined;
}

/** Whether it is true of all; stops looking at the first of which it is not. */
async function all(ids: readonly string[], look: (id: string) => Promise<boolean>): Promise<boolean> {
  const queue = ids.values();
  let holds = true;
  const work = async () => {
    for (const id of queue) {
      if (!holds) return;
      if (!(await look(id))) holds = false;
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, work));
  return holds;
}
