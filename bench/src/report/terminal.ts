/** The tables at the end, for people. */
import { STAGES } from '../measure/stage-lag.ts';
import type { RunResult } from '../measured-run.ts';
import type { Measured } from '../parts.ts';
import { quantile } from './median.ts';
import type { Summary } from './summary.ts';

export function printReport(measured: Measured, summary: Summary, machine: Record<string, unknown>): void {
  console.log(
    `\n${Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · ')}\n`,
  );
  console.log(table(RUN_HEAD, measured.runs.map(runRow)));
  console.log(table(['CPU ms a payment', '', 'memory MB', ''], resourceRows(summary)));
  if (measured.limit.length > 0) {
    const search = Object.entries(measured.limitSearch).map(
      ([clients, tps]) => `${clients}: ${tps.toFixed(0)}`,
    );
    console.log(
      `pgbench, ${measured.limitClients} clients: ${summary.limitPerSecond.toFixed(0)}/s (by clients: ${search.join(', ')})\n`,
    );
  }
  const rows = summary.targets.map(({ what, target, measured: value, met }) => [
    VERDICTS[`${met}`] ?? '',
    what,
    target,
    value,
  ]);
  console.log(table(['', 'target', '', 'measured'], rows));
}

const VERDICTS: Record<string, string> = { true: '✓ pass', false: '✗ miss', undefined: '–' };

const RUN_HEAD = [
  'run',
  'settled/s',
  'p50',
  'p95',
  'p99',
  'p99.9 ms',
  ...STAGES.map((stage) => `${stage} p50/p99`),
  'caught up after',
  'WAL kB',
  'unexpected',
];

function runRow(run: RunResult): string[] {
  const { answerMs, lagsMs, levelAfterMs, tally } = run;
  const figure = (value: number | undefined) => (value === undefined ? '' : value.toFixed(1));
  const lag = (values: number[]) =>
    values.length === 0 ? '' : `${quantile(values, 0.5).toFixed(0)}/${quantile(values, 0.99).toFixed(0)}`;
  const level = Math.max(...STAGES.map((stage) => levelAfterMs[stage] ?? Number.POSITIVE_INFINITY));
  return [
    run.name,
    run.problems.length > 0 ? '0 INVALID' : run.settledPerSecond.toFixed(0),
    figure(answerMs?.p50),
    figure(answerMs?.p95),
    figure(answerMs?.p99),
    figure(answerMs?.p999),
    ...STAGES.map((stage) => lag(lagsMs[stage])),
    level.toFixed(0),
    (run.walBytesPerPayment / 1000).toFixed(1),
    Object.entries(tally.unexpected)
      .map(([what, count]) => `${what}: ${count}`)
      .join(', '),
  ];
}

function resourceRows({ cpuMsPerPayment, memoryBytes }: Summary): string[][] {
  const names = Object.keys(cpuMsPerPayment.byProcess);
  const rows = names.map((name) => [
    name,
    (cpuMsPerPayment.byProcess[name] ?? 0).toFixed(3),
    name,
    ((memoryBytes.byProcess[name] ?? 0) / 1e6).toFixed(0),
  ]);
  const totals = [
    'platform, total',
    cpuMsPerPayment.platform.toFixed(3),
    'seven services',
    (memoryBytes.services / 1e6).toFixed(0),
  ];
  return names.length > 0 ? [...rows, totals] : [];
}

/** Columns are as wide as their widest cell. Figures are right-aligned, words left-aligned. */
function table(head: string[], rows: string[][]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const isFigure = head.map((_, column) => rows.every((row) => /^[\d.,/\- –]*$/.test(row[column] ?? '')));
  const line = (row: string[]) =>
    row
      .map((cell, column) =>
        isFigure[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line), ''].join('\n');
}
