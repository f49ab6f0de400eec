/**
 * `make bench-compare BENCH_BASELINE=<checkout>`: two running platforms, this checkout's and another's, under load in turns of a few
 * seconds. The speed of a machine changes from minute to minute, but hardly within a pair of turns, so only ratios of a pair count.
 */
import { measuredRun, type RunResult } from './measured-run.ts';
import { type Bench, openBench } from './open-bench.ts';
import { say, sayFramed } from './progress.ts';
import { cpuOfPlatform, cpuOfServices } from './report/cpu.ts';
import { median, quantile } from './report/median.ts';
import { loadComparison } from './settings.ts';
import { UNIFORM } from './workloads.ts';

const FIGURES: Record<string, (result: RunResult) => number> = {
  'settled/s': ({ settledPerSecond }) => settledPerSecond,
  'p50, ms': ({ answerMs }) => answerMs?.p50 ?? Number.NaN,
  'p99, ms': ({ answerMs }) => answerMs?.p99 ?? Number.NaN,
  'CPU of the platform, ms a payment': cpuOfPlatform,
  'CPU of the seven services': cpuOfServices,
  'WAL, kB a payment': ({ walBytesPerPayment }) => walBytesPerPayment / 1024,
};

const comparison = loadComparison(process.env);
const { seconds, workers: crowds } = comparison.now;
const before = await openBench(comparison.before);
const now = await openBench(comparison.now);
try {
  for (const workers of crowds) report(workers, await takeTurns(workers));
} finally {
  await now.close();
  await before.close();
}

/** Before, now, now, before, and so on: a slow trend of the machine meets both alike. The first pair only warms up. */
async function takeTurns(workers: number): Promise<{ before: RunResult; now: RunResult }[]> {
  const pairs: { before: RunResult; now: RunResult }[] = [];
  for (let round = 0; round <= comparison.pairs; round += 1) {
    const isReversed = round % 2 === 1;
    const first = await turn(isReversed ? now : before, workers);
    const second = await turn(isReversed ? before : now, workers);
    const pair = isReversed ? { before: second, now: first } : { before: first, now: second };
    if (round > 0) pairs.push(pair);
    const [a, b] = [pair.before, pair.now].map((each) => each.settledPerSecond.toFixed(0));
    say(`${workers} workers, round ${round} of ${comparison.pairs}: ${a} before, ${b} now settled/s`);
  }
  return pairs;
}

async function turn(bench: Bench, workers: number): Promise<RunResult> {
  const loop = { kind: 'closed', workers, seconds } as const;
  const gateways = await bench.platform.gateways();
  const result = await measuredRun(bench, {
    name: UNIFORM.name,
    workload: UNIFORM,
    loop,
    warmUpS: 0,
    gateways,
  });
  if (result.problems.length > 0) {
    sayFramed([`${bench.checkout.folder}: THIS TURN COUNTS AS ZERO`, ...result.problems]);
    process.exitCode = 1;
  }
  return result;
}

/** Medians of both, and the median and the middle half of the ratios of the pairs. */
function report(workers: number, pairs: readonly { before: RunResult; now: RunResult }[]): void {
  const title = `${workers} workers, ${pairs.length} pairs of ${seconds} s`;
  const rows = Object.entries(FIGURES).map(([name, figure]) => {
    const ratios = pairs.map((pair) => figure(pair.now) / figure(pair.before));
    const of = (side: 'before' | 'now') => median(pairs.map((pair) => figure(pair[side]))).toFixed(2);
    const half = `${quantile(ratios, 0.25).toFixed(3)} to ${quantile(ratios, 0.75).toFixed(3)}`;
    return [name, of('before'), of('now'), median(ratios).toFixed(3), half];
  });
  console.log();
  for (const row of [[title, 'before', 'now', 'ratio', 'middle half'], ...rows]) {
    const [name = '', ...figures] = row;
    console.log(`${name.padEnd(34)}${figures.map((each) => each.padStart(16)).join('')}`);
  }
}
