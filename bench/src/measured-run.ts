/** One measured run: warm-up, wait until level, load, wait until level, proof. */
import { randomBytes } from 'node:crypto';
import type { Generator, GeneratorReport } from './load/generator-process.ts';
import type { LatencyFigures } from './load/latencies.ts';
import type { Loop } from './load/loops.ts';
import { addTallies, emptyTally, settledPayments, type Tally } from './load/tally.ts';
import type { Workload } from './load/traffic.ts';
import { type Books, expectedOf, type ReadDeps } from './measure/books.ts';
import { type LevelTimes, waitUntilLevel } from './measure/level.ts';
import type { PostgresProbe } from './measure/postgres.ts';
import { isAlive, readCpu, readMemory } from './measure/process-usage.ts';
import { type ProbeReport, STAGES, type Stage, startProbes } from './measure/stage-lag.ts';
import { verify } from './measure/verify.ts';
import { type AccountBook, bookPath } from './platform/account-book.ts';
import type { Checkout } from './platform/checkout.ts';
import type { Platform } from './platform/configurations.ts';
import { CURRENCY, PER_PAYMENT_LIMIT } from './platform/prepare-accounts.ts';

export interface RunDeps extends ReadDeps {
  checkout: Checkout;
  platform: Platform;
  book: AccountBook;
  generator: Generator;
  postgres: PostgresProbe;
  /** The counts at the end of the last run. */
  books: Books;
}

export interface RunOrder {
  name: string;
  workload: Workload;
  loop: Loop;
  /** Length of the warm-up. It uses the loop of the run, or a closed loop before lone payments. 0: no warm-up. */
  warmUpS: number;
  gateways: readonly string[];
}

export interface RunResult {
  name: string;
  workload: string;
  loop: Loop;
  /** Empty if the run counts. Otherwise `settledPerSecond` is 0. */
  problems: string[];
  settledPerSecond: number;
  /** From the first request until ledger, analytics and notifications were level. */
  seconds: number;
  settled: number;
  requestsPerSecond: number;
  /** From the due time of the last request until the last response. */
  backlogMs: number;
  /** Response times of payment creations, in milliseconds. */
  answerMs: LatencyFigures | undefined;
  /** For all kinds of requests. */
  latenciesMs: Record<string, LatencyFigures>;
  /** From the last response until each stage was level. */
  levelAfterMs: Record<Stage, number | null>;
  /** From a payment's response until each stage showed it, one value for each probe. */
  lagsMs: Record<Stage, number[]>;
  /** For each settled payment. */
  cpuMsPerPayment: Record<string, number>;
  /** Under load. */
  memoryBytes: Record<string, number>;
  walBytesPerPayment: number;
  tally: Tally;
}

export async function measuredRun(deps: RunDeps, order: RunOrder): Promise<RunResult> {
  const before = deps.books;
  const warmUp = await runWarmUp(deps, order);
  const pids = await deps.platform.processes();
  const watched = new Map([...pids, ['generator', deps.generator.pid], ['probes', process.pid]]);

  const start = { cpu: readCpu(watched), wal: await deps.postgres.walBytes() };
  const probes = order.loop.kind === 'lone' ? undefined : startProbes(probeDeps(deps));
  const memory = sampleMemory(watched, order.loop);
  const report = await load(deps, order, order.loop);
  const probed = await probes?.stop();
  const tally = withProbes(report.tally, probed);
  const all = addTallies(warmUp, tally);
  const expected = expectedOf(all);
  const lastPayments = [...report.lastPayments, ...(probed?.lastPayments.slice(-8) ?? [])];
  const levels = await waitUntilLevel(deps, { lastPayments, before, expected });
  const end = { cpu: readCpu(watched), wal: await deps.postgres.walBytes() };

  const problems = [...ended(pids), ...unleveled(levels)];
  const verdict = await verify(deps, { before, expected, tally: all });
  problems.push(...verdict.problems);
  deps.books = verdict.after;

  const settled = settledPayments(tally);
  const levelAt = Math.max(...STAGES.map((stage) => levels[stage] ?? Date.now()));
  const seconds = (levelAt - report.startedAt) / 1000;
  return {
    name: order.name,
    workload: order.workload.name,
    loop: order.loop,
    problems,
    settledPerSecond: problems.length > 0 ? 0 : settled / seconds,
    seconds,
    settled,
    requestsPerSecond: requests(report) / report.seconds,
    backlogMs: backlog(report, order.loop),
    answerMs: report.latencies.pay ?? report.latencies.authorize,
    latenciesMs: report.latencies,
    levelAfterMs: levelAfter(levels, report.lastAnswerAt),
    lagsMs: probed?.lagsMs ?? { ledger: [], analytics: [], notification: [] },
    cpuMsPerPayment: perPayment(start.cpu, end.cpu, settled),
    memoryBytes: Object.fromEntries(await memory),
    walBytesPerPayment: (end.wal - start.wal) / settled,
    tally,
  };
}

const LONE_WARM_UP = { kind: 'closed', workers: 16 } as const;

/** Its payments are verified with those of the run, but not measured. */
async function runWarmUp(deps: RunDeps, order: RunOrder): Promise<Tally> {
  const { loop, warmUpS } = order;
  if (warmUpS === 0) return emptyTally();
  // After a while under load, the hot code is compiled. Lone payments alone would take too long for that.
  const warmUp = loop.kind === 'lone' ? LONE_WARM_UP : loop;
  const { tally, lastPayments } = await load(deps, order, { ...warmUp, seconds: warmUpS });
  await waitUntilLevel(deps, { lastPayments, before: deps.books, expected: expectedOf(tally) });
  return tally;
}

function load({ generator, checkout, book }: RunDeps, order: RunOrder, loop: Loop): Promise<GeneratorReport> {
  return generator.run({
    gateways: order.gateways,
    book: bookPath(checkout),
    accounts: book.accounts.length,
    workload: order.workload,
    loop,
    run: `bench-${randomBytes(6).toString('hex')}`,
    currency: CURRENCY,
    perPaymentLimit: PER_PAYMENT_LIMIT,
  });
}

function probeDeps({ rest, operator, book }: RunDeps) {
  return { rest, operator, accounts: book.probes, currency: CURRENCY };
}

/** Measured late in the load, when every process has reached its full size. */
function sampleMemory(
  watched: ReadonlyMap<string, number>,
  loop: Loop,
): Promise<Map<string, number>> | Map<string, number> {
  if (loop.kind === 'lone') return readMemory(watched);
  const ms = loop.seconds * 1000 * 0.8;
  return new Promise((resolve) => setTimeout(() => resolve(readMemory(watched)), ms));
}

function withProbes(tally: Tally, probed: ProbeReport | undefined): Tally {
  if (!probed) return tally;
  const { completed, unknown } = probed;
  return addTallies(tally, { ...emptyTally(), completed, unknown });
}

function backlog({ seconds }: GeneratorReport, loop: Loop): number {
  return loop.kind === 'lone' ? 0 : Math.max(0, (seconds - loop.seconds) * 1000);
}

/** Refused requests do not count: nothing was done for them. */
function requests({ latencies }: GeneratorReport): number {
  const done = Object.entries(latencies).filter(([kind]) => kind !== 'refused');
  return done.reduce((sum, [, { count }]) => sum + count, 0);
}

function ended(processes: ReadonlyMap<string, number>): string[] {
  return [...processes].flatMap(([name, pid]) => (isAlive(pid) ? [] : [`${name} ended during the run`]));
}

function unleveled(levels: LevelTimes): string[] {
  return STAGES.flatMap((stage) => (levels[stage] === undefined ? [`${stage} never became level`] : []));
}

function levelAfter(levels: LevelTimes, lastAnswerAt: number): Record<Stage, number | null> {
  const after = (stage: Stage) => {
    const at = levels[stage];
    return at === undefined ? null : Math.max(0, at - lastAnswerAt);
  };
  return { ledger: after('ledger'), analytics: after('analytics'), notification: after('notification') };
}

function perPayment(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  settled: number,
): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([name, cpuMs]) => [name, (cpuMs - (before.get(name) ?? 0)) / Math.max(1, settled)]),
  );
}
