/**
 * Measures the time from a payment's response until each background stage shows it. Probes are normal payments beside the load,
 * between separate accounts, polled until they are visible.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from '../platform/account-book.ts';
import type { Rest } from '../platform/rest.ts';
import type { Session } from '../platform/session.ts';

export const STAGES = ['ledger', 'analytics', 'notification'] as const;
export type Stage = (typeof STAGES)[number];

export interface ProbeReport {
  /** Accepted probes, and probes with unknown outcome. */
  completed: number;
  unknown: number;
  /** Milliseconds from the response to the first successful poll, one value for each probe. */
  lagsMs: Record<Stage, number[]>;
  lastPayments: string[];
}

interface ProbeDeps {
  rest: Rest;
  operator: Session;
  accounts: readonly Account[];
  currency: string;
}

const EVERY_MS = 500;
/** Consumers gather for 100 ms, so an earlier poll would only cost CPU. A payment seen at the first poll counts with this lag. */
const FIRST_POLL_MS = 100;
const POLL_EVERY_MS = 50;
/** A probe stops waiting for a stage after this time; the end of the run still waits. */
const TIMEOUT_MS = 60_000;

/** Sends probes until `stop`, which waits for those in flight. */
export function startProbes(deps: ProbeDeps): { stop(): Promise<ProbeReport> } {
  const report: ProbeReport = {
    completed: 0,
    unknown: 0,
    lagsMs: { ledger: [], analytics: [], notification: [] },
    lastPayments: [],
  };
  const free = [...deps.accounts];
  const inFlight = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const payer = free.shift();
    const receiver = deps.accounts.find(({ id }) => id !== payer?.id);
    if (!payer || !receiver) return;
    const work = probe(deps, payer, receiver, report).finally(() => {
      inFlight.delete(work);
      free.push(payer);
    });
    inFlight.add(work);
  }, EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(inFlight);
      return report;
    },
  };
}

async function probe(deps: ProbeDeps, payer: Account, receiver: Account, report: ProbeReport): Promise<void> {
  const { rest, operator, currency } = deps;
  const sentBefore = await sentCount(deps, payer);
  const body = { from_account: payer.id, to_account: receiver.id, amount: 1, currency };
  const options = { authorization: operator.authorization(), key: randomUUID() };
  const answer = await rest.post('/v1/payments', body, options).catch(() => undefined);
  if (answer?.status !== 201 || sentBefore === undefined) {
    if (answer?.status === 201) report.completed += 1;
    else report.unknown += 1;
    return;
  }
  const answeredAt = performance.now();
  const { id } = answer.json();
  report.completed += 1;
  report.lastPayments.push(id);
  const looks: Record<Stage, () => Promise<boolean>> = {
    ledger: () => isInLedger(deps, id),
    analytics: async () => ((await sentCount(deps, payer)) ?? 0) > sentBefore,
    notification: () => isNotified(deps, id),
  };
  await pause(FIRST_POLL_MS);
  await Promise.all(
    STAGES.map(async (stage) => {
      while (performance.now() - answeredAt < TIMEOUT_MS) {
        if (await looks[stage]()) break;
        await pause(POLL_EVERY_MS);
      }
      report.lagsMs[stage].push(performance.now() - answeredAt);
    }),
  );
}

type ReadDeps = Pick<ProbeDeps, 'rest' | 'operator'>;

/** A poll that fails under overload counts as not seen. */
async function look(
  { rest, operator }: ReadDeps,
  path: string,
): Promise<{ data: { sent_count?: number }[] }> {
  const answer = await rest.get(path, operator.authorization()).catch(() => undefined);
  return answer?.status === 200 ? answer.json() : { data: [] };
}

export async function isInLedger(deps: ReadDeps, paymentId: string): Promise<boolean> {
  return (await look(deps, `/v1/ledger/entries?limit=1&payment_id=${paymentId}`)).data.length > 0;
}

/** Both sides are notified in one transaction. */
export async function isNotified(deps: ReadDeps, paymentId: string): Promise<boolean> {
  return (await look(deps, `/v1/notifications?limit=1&payment_id=${paymentId}`)).data.length > 0;
}

/** Undefined without any value. */
async function sentCount({ rest, operator }: ReadDeps, { id }: Account): Promise<number | undefined> {
  const path = `/v1/analytics/accounts/${id}`;
  const answer = await rest.get(path, operator.authorization()).catch(() => undefined);
  return answer?.status === 200 ? (answer.json().data[0]?.sent_count ?? 0) : undefined;
}
