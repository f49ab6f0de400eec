/** `make bench`: measures settled payments a second, the CPU of each, and the limits. See the README. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Bench, openBench } from './open-bench.ts';
import { type Measured, runParts } from './parts.ts';
import { say, sayFramed } from './progress.ts';
import { describeMachine } from './report/machine.ts';
import { plot } from './report/plot.ts';
import { type Summary, summarize } from './report/summary.ts';
import { printReport } from './report/terminal.ts';
import { loadSettings } from './settings.ts';

const settings = loadSettings(process.env);
const at = new Date().toISOString();
say(settings.mode === 'full' ? 'the full bench: about 35 minutes' : 'the short bench: about a minute');
const bench = await openBench(settings);
try {
  const machine = await describeMachine(bench.checkout, bench.postgres, await bench.platform.processes());
  const measured = await runParts(bench);
  const summary = summarize(measured);
  printReport(measured, summary, machine);
  save(bench, { machine, measured, summary });
  if (summary.failedRuns > 0) {
    sayFramed([`${summary.failedRuns} of ${measured.runs.length} runs count as ZERO, see above`]);
    process.exitCode = 1;
  }
} finally {
  await bench.close();
}

function save(
  { postgres, limit }: Bench,
  { machine, measured, summary }: { machine: object; measured: Measured; summary: Summary },
): void {
  const folder = new URL('../results/', import.meta.url);
  const svg = new URL('latest.svg', folder);
  mkdirSync(folder, { recursive: true });
  const results = {
    at,
    machine: { ...machine, pgbench: limit?.version ?? null, postgresSettings: postgres.settings },
    settings: { ...settings, checkout: undefined },
    summary: { ...summary, headline: undefined, halfRate: undefined },
    measured,
  };
  writeFileSync(new URL('latest.json', folder), `${JSON.stringify(results, null, 2)}\n`);
  const drawn = plot(measured.runs, Object.values(machine).join(' · '));
  if (drawn) writeFileSync(svg, drawn);
  else rmSync(svg, { force: true });
  say(`results: bench/results/latest.json${drawn ? ' and latest.svg' : ''}`, '✓');
}
