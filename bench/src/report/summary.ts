/** Summarises the runs: medians, ratios, and targets met or missed. */
import { STAGES, type Stage } from '../measure/stage-lag.ts';
import type { RunResult } from '../measured-run.ts';
import type { Measured } from '../parts.ts';
import type { Configuration } from '../platform/configurations.ts';
import { SERVICES } from '../services.ts';
import { INTO_ONE, UNIFORM } from '../workloads.ts';
import { cpuOfPlatform } from './cpu.ts';
import { median, quantile } from './median.ts';

export interface Target {
  what: string;
  target: string;
  measured: string;
  /** Undefined if it was not measured in this run. */
  met: boolean | undefined;
}

export interface Summary {
  /** The median of its rounds, like all figures here. */
  settledPerSecond: number;
  hotPerSecond: number;
  unbatchedPerSecond: number;
  doubledPerSecond: number;
  limitPerSecond: number;
  ratios: { toLimit: number; hotToUniform: number; batchedToUnbatched: number; doubledToSingle: number };
  /** Of the median run of the main figure. */
  headline: RunResult | undefined;
  cpuMsPerPayment: { platform: number; generator: number; byProcess: Record<string, number> };
  memoryBytes: { services: number; byProcess: Record<string, number> };
  /** Of the probes of the main figure, in all rounds. */
  lagMs: Record<Stage, { p50: number; p99: number; probes: number }>;
  idleP50Ms: number;
  halfRate: RunResult | undefined;
  targets: Target[];
  /** Runs that count as zero. */
  failedRuns: number;
}

export function summarize(measured: Measured): Summary {
  const closed = (workload: string, configuration: Configuration = 'standard') =>
    measured.runs.filter(
      (run) =>
        run.loop.kind === 'closed' &&
        run.workload === workload &&
        run.configuration === configuration &&
        !run.name.startsWith('search'),
    );
  const settled = (runs: RunResult[]) => median(runs.map(({ settledPerSecond }) => settledPerSecond));
  const uniform = closed(UNIFORM.name);
  const settledPerSecond = settled(uniform);
  const hotPerSecond = settled(closed(INTO_ONE.name));
  const unbatchedPerSecond = settled(closed(UNIFORM.name, 'unbatched'));
  const doubledPerSecond = settled(closed(UNIFORM.name, 'doubled'));
  const limitPerSecond = median(measured.limit);
  const headline = uniform.find((run) => run.settledPerSecond === settledPerSecond);
  const part = {
    settledPerSecond,
    hotPerSecond,
    unbatchedPerSecond,
    doubledPerSecond,
    limitPerSecond,
    ratios: {
      toLimit: settledPerSecond / limitPerSecond,
      hotToUniform: hotPerSecond / settledPerSecond,
      batchedToUnbatched: settledPerSecond / unbatchedPerSecond,
      doubledToSingle: doubledPerSecond / settledPerSecond,
    },
    headline,
    cpuMsPerPayment: cpuOf(headline),
    memoryBytes: memoryOf(headline),
    lagMs: lagsOf(uniform),
    idleP50Ms: measured.runs.find(({ loop }) => loop.kind === 'lone')?.answerMs?.p50 ?? Number.NaN,
    halfRate: measured.runs.find(({ name }) => name === 'open loop, 50 %'),
    failedRuns: measured.runs.filter(({ problems }) => problems.length > 0).length,
  };
  return { ...part, targets: targets(part, measured) };
}

function cpuOf(run: RunResult | undefined): Summary['cpuMsPerPayment'] {
  const byProcess = run?.cpuMsPerPayment ?? {};
  const platform = run ? cpuOfPlatform(run) : Number.NaN;
  return { platform, generator: byProcess.generator ?? Number.NaN, byProcess };
}

function memoryOf(run: RunResult | undefined): Summary['memoryBytes'] {
  const byProcess = run?.memoryBytes ?? {};
  return {
    services: sum(
      Object.entries(byProcess).filter(([name]) => SERVICES.includes(name)),
      run,
    ),
    byProcess,
  };
}

function sum(entries: [string, number][], run: RunResult | undefined): number {
  return run ? entries.reduce((total, [, value]) => total + value, 0) : Number.NaN;
}

function lagsOf(runs: RunResult[]): Summary['lagMs'] {
  const of = (stage: Stage) => {
    const lags = runs.flatMap(({ lagsMs }) => lagsMs[stage]);
    return { p50: median(lags), p99: quantile(lags, 0.99), probes: lags.length };
  };
  return Object.fromEntries(STAGES.map((stage) => [stage, of(stage)])) as Summary['lagMs'];
}

/** The platform's figures, beside the comparisons. */
function targets(summary: Omit<Summary, 'targets'>, measured: Measured): Target[] {
  const { ratios, cpuMsPerPayment, memoryBytes, lagMs, idleP50Ms, halfRate, failedRuns } = summary;
  const halfP99 = halfRate?.answerMs?.p99 ?? Number.NaN;
  return [
    atLeast('settled payments, ratio to pgbench', ratios.toLimit, 0.5, '×'),
    atLeast('hot account, ratio to uniform', ratios.hotToUniform, 0.8, '×'),
    atMost('CPU of the platform a settled payment', cpuMsPerPayment.platform, 1.5, 'ms'),
    atMost('response time p99 at half of the maximum rate', halfP99, 100, 'ms'),
    atMost('lag of the ledger, p99', lagMs.ledger.p99, 500, 'ms'),
    atLeast('batched, ratio to unbatched', ratios.batchedToUnbatched, 3, '×'),
    atMost('response time p50 of a lone payment', idleP50Ms, 10, 'ms'),
    atMost('memory of the seven services under load', memoryBytes.services / 1e6, 900, 'MB'),
    {
      what: 'runs with a failed proof or a lost payment',
      target: '0',
      measured: `${failedRuns} of ${measured.runs.length}`,
      met: failedRuns === 0,
    },
  ];
}

function atLeast(what: string, value: number, bound: number, unit: string): Target {
  return { what, target: `≥ ${bound} ${unit}`, measured: text(value, unit), met: met(value, value >= bound) };
}

function atMost(what: string, value: number, bound: number, unit: string): Target {
  return { what, target: `≤ ${bound} ${unit}`, measured: text(value, unit), met: met(value, value <= bound) };
}

function met(value: number, is: boolean): boolean | undefined {
  return Number.isFinite(value) ? is : undefined;
}

function text(value: number, unit: string): string {
  return Number.isFinite(value) ? `${value.toFixed(value < 10 ? 2 : 0)} ${unit}` : 'not measured';
}
