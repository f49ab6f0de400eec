/** `make bench`: how many payments a second the running platform completes, and how far behind its asynchronous side is then. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { closedLoop, percentile } from './closed-loop.ts';
import { type Client, connect, openAccounts } from './platform.ts';

const WORKERS = Number(process.env.BENCH_WORKERS ?? 64);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20);
const WARM_UP_SECONDS = Number(process.env.BENCH_WARM_UP_SECONDS ?? 5);
const ACCOUNTS = Number(process.env.BENCH_ACCOUNTS ?? 200);
const LEVEL_LIMIT_MS = 120_000;

const operator = await connect('operator', 16);
const auditor = await connect('auditor', 1);
console.log(`· ${ACCOUNTS} accounts, ${WORKERS} workers, ${WARM_UP_SECONDS} s of warm-up, then ${SECONDS} s`);
const accounts = await openAccounts(operator, ACCOUNTS);
const payer = await connect('alice', WORKERS);
await closedLoop(payer, accounts, { workers: WORKERS, seconds: WARM_UP_SECONDS });
const run = await closedLoop(payer, accounts, { workers: WORKERS, seconds: SECONDS });
const levelMs = await timeUntilLevel(auditor);
await Promise.all([operator, auditor, payer].map((client) => client.close()));

const result = {
  at: new Date().toISOString(),
  machine: {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  },
  settings: { workers: WORKERS, seconds: SECONDS, accounts: ACCOUNTS },
  completed_per_second: Math.round(run.completed / run.seconds),
  latency_ms: { p50: round(percentile(run.latenciesMs, 0.5)), p99: round(percentile(run.latenciesMs, 0.99)) },
  other_answers: run.others,
  level_after_ms: Math.round(levelMs),
};
console.table({
  'completed per second': result.completed_per_second,
  'p50, ms': result.latency_ms.p50,
  'p99, ms': result.latency_ms.p99,
  'other answers': JSON.stringify(result.other_answers),
  'asynchronous side level after, ms': result.level_after_ms,
});
const folder = new URL('../results/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('latest.json', folder), `${JSON.stringify(result, null, 2)}\n`);
console.log('✓ the ledger proof holds; results are in bench/results/latest.json');

/** From the last answer until the ledger has everything and agrees to the last unit. A run without that is no result. */
async function timeUntilLevel(client: Client): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < LEVEL_LIMIT_MS) {
    const { status, body } = await client.get('/v1/ledger/proof');
    if (status === 200 && body.holds && body.event_lag === 0) return performance.now() - startedAt;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `The ledger proof did not hold ${LEVEL_LIMIT_MS / 1000} s after the last payment: no result.`,
  );
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
