/** The parts of a bench run, in order. */
import type { Limit } from './limit/pgbench.ts';
import type { Loop } from './load/loops.ts';
import type { Workload } from './load/traffic.ts';
import { measuredRun, type RunDeps, type RunResult } from './measured-run.ts';
import type { Configuration } from './platform/configurations.ts';
import { say, sayFramed } from './progress.ts';
import { median } from './report/median.ts';
import type { Part, Settings } from './settings.ts';
import { measureTelemetry } from './telemetry-cost.ts';
import { INTO_ONE, OTHERS, UNIFORM } from './workloads.ts';

export interface Measured {
  /** Transactions a second of pgbench, by number of clients. */
  limitSearch: Record<number, number>;
  limitClients: number | undefined;
  /** One figure for each round. */
  limit: number[];
  workers: number;
  /** Every run of the platform, in order. `configuration` names the platform's settings. */
  runs: (RunResult & { configuration: Configuration })[];
}

export interface PartDeps extends RunDeps {
  settings: Settings;
  /** Undefined if pgbench is not installed. */
  limit: Limit | undefined;
}

export async function runParts(deps: PartDeps): Promise<Measured> {
  const { settings } = deps;
  const has = (part: Part) => settings.parts.length === 0 || settings.parts.includes(part);
  const measured: Measured = {
    limitSearch: {},
    limitClients: undefined,
    limit: [],
    workers: settings.workers[0] ?? 64,
    runs: [],
  };
  if (has('idle')) await runIdle(deps, measured);
  if (has('limit')) await searchClients(deps, measured);
  if (has('uniform')) await searchWorkers(deps, measured);
  for (let round = 1; round <= settings.rounds; round += 1) {
    if (settings.rounds > 1) say(`round ${round} of ${settings.rounds}`);
    await runRound(deps, measured, has);
  }
  if (settings.parts.includes('telemetry'))
    await measureTelemetry(settings, (configuration) =>
      runClosed(deps, measured, UNIFORM, configuration, settings.seconds),
    );
  await deps.platform.use('standard');
  if (has('workloads')) {
    for (const workload of OTHERS)
      await runClosed(deps, measured, workload, 'standard', settings.sideSeconds);
  }
  if (has('open')) await runOpen(deps, measured);
  if (has('overload')) await runOverload(deps, measured);
  return measured;
}

const OVERLOAD = 'overload';

/** Requests a second that were done. */
function goodputOf({ loop, latenciesMs }: RunResult): number {
  const done = Object.entries(latenciesMs).filter(([kind]) => kind !== 'refused');
  const seconds = loop.kind === 'lone' ? Number.NaN : loop.seconds;
  return done.reduce((sum, [, { count }]) => sum + count, 0) / seconds;
}

async function runIdle(deps: PartDeps, measured: Measured): Promise<void> {
  const loop = { kind: 'lone', requests: deps.settings.idlePayments } as const;
  const { warmUpS } = deps.settings;
  await run(deps, measured, { name: 'idle', workload: UNIFORM, loop, configuration: 'standard', warmUpS });
}

async function searchClients({ limit, settings }: PartDeps, measured: Measured): Promise<void> {
  if (!limit) return;
  for (const clients of settings.pgbenchClients) {
    measured.limitSearch[clients] = await limit.measure(clients, settings.searchSeconds);
  }
  const [best] = Object.entries(measured.limitSearch).sort(([, a], [, b]) => b - a);
  measured.limitClients = Number(best?.[0]);
  say(`pgbench: best with ${measured.limitClients} clients`);
}

async function searchWorkers(deps: PartDeps, measured: Measured): Promise<void> {
  const { workers, searchSeconds } = deps.settings;
  if (workers.length === 1) return;
  const found: { workers: number; settledPerSecond: number }[] = [];
  for (const each of workers) {
    const loop = { kind: 'closed', workers: each, seconds: searchSeconds } as const;
    const order = { name: `search: ${each} workers`, workload: UNIFORM, loop, warmUpS: searchSeconds / 2 };
    const { settledPerSecond } = await run(deps, measured, { ...order, configuration: 'standard' });
    found.push({ workers: each, settledPerSecond });
  }
  found.sort((a, b) => b.settledPerSecond - a.settledPerSecond);
  measured.workers = found[0]?.workers ?? measured.workers;
  say(`closed loop: best with ${measured.workers} workers`);
}

/** The main figure and its comparisons, interleaved. */
async function runRound(deps: PartDeps, measured: Measured, has: (part: Part) => boolean): Promise<void> {
  const { settings, limit } = deps;
  const { seconds } = settings;
  if (has('limit') && limit && measured.limitClients) {
    const perSecond = await limit.measure(measured.limitClients, seconds);
    measured.limit.push(perSecond);
    say(`pgbench: ${perSecond.toFixed(0)} payments/s`);
  }
  if (has('uniform')) {
    await runClosed(deps, measured, UNIFORM, 'standard', seconds);
    await runClosed(deps, measured, INTO_ONE, 'standard', seconds);
  }
  if (has('ablations')) {
    await runClosed(deps, measured, UNIFORM, 'unbatched', seconds);
    await runClosed(deps, measured, UNIFORM, 'doubled', seconds);
  }
}

async function runOpen(deps: PartDeps, measured: Measured): Promise<void> {
  const { openRate, openShares } = deps.settings;
  if (openRate) return runAtRate(deps, measured, `open loop, ${openRate}/s`, openRate);
  const most = await mostRequestsPerSecond(deps, measured);
  for (const share of openShares) {
    await runAtRate(deps, measured, `open loop, ${Math.round(share * 100)} %`, most * share);
  }
}

async function runAtRate(deps: PartDeps, measured: Measured, name: string, rate: number): Promise<void> {
  const { sideSeconds, warmUpS } = deps.settings;
  const loop = { kind: 'open', rate, seconds: sideSeconds } as const;
  const order = { name, workload: UNIFORM, loop, warmUpS: warmUpS / 2 };
  await run(deps, measured, { ...order, configuration: 'standard' });
}

/** The connections of the overload run: more concurrent clients than the platform admits. */
const CROWD = 1_024;

/** Sends far more than the maximum. Accepted requests get a response in time, the others are refused at once. */
async function runOverload(deps: PartDeps, measured: Measured): Promise<void> {
  const { sideSeconds, overloadFactor, warmUpS } = deps.settings;
  const most = await mostRequestsPerSecond(deps, measured);
  const loop = {
    kind: 'open',
    rate: most * overloadFactor,
    seconds: sideSeconds,
    connections: CROWD,
  } as const;
  const order = { name: OVERLOAD, workload: UNIFORM, loop, warmUpS: warmUpS / 2 };
  const result = await run(deps, measured, { ...order, configuration: 'standard' });
  const { refused } = result.latenciesMs;
  say(
    `overload: goodput ${((100 * goodputOf(result)) / most).toFixed(0)} % of the maximum; ${refused?.count ?? 0} refused, p50 ${ms(refused?.p50)}, p99 ${ms(refused?.p99)}; last answer ${ms(result.backlogMs)} after the end`,
  );
}

/** The maximum of the closed loop, which runs now if it has not run yet. */
async function mostRequestsPerSecond(deps: PartDeps, measured: Measured): Promise<number> {
  const closed = () =>
    measured.runs.filter(
      ({ configuration, loop, workload, name }) =>
        configuration === 'standard' &&
        loop.kind === 'closed' &&
        workload === UNIFORM.name &&
        name === UNIFORM.name,
    );
  if (closed().length === 0) await runClosed(deps, measured, UNIFORM, 'standard', deps.settings.sideSeconds);
  return median(closed().map(({ requestsPerSecond }) => requestsPerSecond));
}

function runClosed(
  deps: PartDeps,
  measured: Measured,
  workload: Workload,
  configuration: Configuration,
  seconds: number,
): Promise<RunResult> {
  const loop = { kind: 'closed', workers: measured.workers, seconds } as const;
  const name = configuration === 'standard' ? workload.name : `${workload.name}, ${configuration}`;
  return run(deps, measured, { name, workload, loop, configuration, warmUpS: deps.settings.warmUpS });
}

async function run(
  deps: PartDeps,
  measured: Measured,
  order: { name: string; workload: Workload; loop: Loop; configuration: Configuration; warmUpS: number },
): Promise<RunResult> {
  await deps.platform.use(order.configuration);
  const gateways = await deps.platform.gateways();
  const result = await measuredRun(deps, { ...order, gateways });
  measured.runs.push({ ...result, configuration: order.configuration });
  if (result.problems.length > 0) {
    sayFramed([`${order.name}: THIS RUN COUNTS AS ZERO`, ...result.problems]);
  } else {
    const { settledPerSecond, answerMs } = result;
    say(
      `${order.name}: ${settledPerSecond.toFixed(0)} settled/s, p50 ${ms(answerMs?.p50)}, p99 ${ms(answerMs?.p99)}`,
    );
  }
  return result;
}

function ms(value = Number.NaN): string {
  return `${value.toFixed(1)} ms`;
}
