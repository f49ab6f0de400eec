/**
 * Keeps the steps of one payment in order. Two steps may arrive at two instances, and each gathers its steps for a moment. So an instance
 * that has a later step waits until the earlier ones are stored.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { PaymentStep } from '../domain/notice.ts';
import type { Database } from '../store/database.ts';
import { countStoredSteps } from '../store/earlier-steps.ts';

/** The version of a payment at its first step that has notifications. The version before it is that of `payment.initiated`. */
const FIRST_VERSION = 2n;
/** An earlier step that does not arrive in this time was given up, or waits for an operator. */
const MAX_WAIT_MS = 2_000;
const LOOK_EVERY_MS = 25;
/** The earlier steps of old ones, which are published again, arrived long ago. */
const RECENT_MS = 60_000;

/** Steps in the order of their payments, in two parts: those that may be stored now, and those that have to wait for others. */
export async function splitByOrder(
  db: Kysely<Database>,
  steps: readonly PaymentStep[],
): Promise<{ ready: PaymentStep[]; early: PaymentStep[] }> {
  const payments = [...Map.groupBy(steps, ({ paymentId }) => paymentId)].map(
    ([id, of]) => [id, of.toSorted((a, b) => Number(a.version - b.version))] as const,
  );
  // A payment whose steps are all here needs no query.
  const unsure = payments.filter(([, of]) => readyCount(of, 0) < of.length).map(([id]) => id);
  const stored = unsure.length > 0 ? await countStoredSteps(db, unsure) : new Map<string, number>();
  const split = payments.map(([id, of]) => ({ of, ready: readyCount(of, stored.get(id) ?? 0) }));
  return {
    ready: split.flatMap(({ of, ready }) => of.slice(0, ready)),
    early: split.flatMap(({ of, ready }) => of.slice(ready)),
  };
}

/** Number of steps of a payment that may be stored, if so many of it are stored already. Each step raises the version by one. */
function readyCount(steps: readonly PaymentStep[], storedCount: number): number {
  let next = FIRST_VERSION + BigInt(storedCount);
  for (const [index, step] of steps.entries()) {
    if (step.version > next && isRecent(step)) return index;
    if (step.version >= next) next = step.version + 1n;
  }
  return steps.length;
}

/** Resolves when the earlier steps of these are stored, or after a limited time. Then the `version` of the payment tells the order. */
export async function awaitEarlierSteps(
  db: Kysely<Database>,
  steps: readonly PaymentStep[],
  maxWaitMs = MAX_WAIT_MS,
): Promise<void> {
  const until = Date.now() + maxWaitMs;
  let early = [...steps];
  while (early.length > 0 && Date.now() < until) {
    await sleep(LOOK_EVERY_MS);
    ({ early } = await splitByOrder(db, early));
  }
}

function isRecent({ occurredAt }: PaymentStep): boolean {
  return occurredAt.getTime() > Date.now() - RECENT_MS;
}
