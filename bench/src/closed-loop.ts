/** As many workers as asked for, each sending its next payment when the last one is answered: finds the most that goes through. */
import type { Client } from './platform.ts';

export interface LoopResult {
  seconds: number;
  completed: number;
  /** Answers that were not 201, by status. */
  others: Record<string, number>;
  /** Of the completed, ascending. */
  latenciesMs: number[];
}

export async function closedLoop(
  client: Client,
  accounts: readonly string[],
  { workers, seconds }: { workers: number; seconds: number },
): Promise<LoopResult> {
  const latenciesMs: number[] = [];
  const others: Record<string, number> = {};
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;

  const work = async () => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      const { status } = await client.post('/v1/payments', randomPayment(accounts));
      if (status === 201) latenciesMs.push(performance.now() - sentAt);
      else others[status] = (others[status] ?? 0) + 1;
    }
  };

  await Promise.all(Array.from({ length: workers }, work));
  const elapsed = (performance.now() - startedAt) / 1000;
  return {
    seconds: elapsed,
    completed: latenciesMs.length,
    others,
    latenciesMs: latenciesMs.sort((a, b) => a - b),
  };
}

/** Between two different accounts, uniformly. */
function randomPayment(accounts: readonly string[]): object {
  const from = Math.floor(Math.random() * accounts.length);
  const to = (from + 1 + Math.floor(Math.random() * (accounts.length - 1))) % accounts.length;
  return { from_account: accounts[from], to_account: accounts[to], amount: 1, currency: 'EUR' };
}

export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}
