/**
 * The cost of metrics and traces: CPU of the seven services for each settled payment, with and without them, in alternating runs. The
 * platform is restarted between the runs, and every run has its own warm-up.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { RunResult } from './measured-run.ts';
import type { Configuration } from './platform/configurations.ts';
import { say } from './progress.ts';
import { cpuOfServices } from './report/cpu.ts';
import { median } from './report/median.ts';

/** Without both, with metrics as `make up` has them, and with traces of 1 % of the payments in addition. */
const STAGES = ['bare', 'standard', 'traced'] as const satisfies Configuration[];
type Stage = (typeof STAGES)[number];

/** Returns the share that each adds, one value for each round. */
export async function measureTelemetry(
  { rounds, collectorPort }: { rounds: number; collectorPort: number },
  run: (configuration: Stage) => Promise<Pick<RunResult, 'cpuMsPerPayment'>>,
): Promise<{ metrics: number[]; traces: number[] }> {
  const collector = await startCollector(collectorPort);
  const cpu: Record<Stage, number[]> = { bare: [], standard: [], traced: [] };
  try {
    for (let round = 0; round < rounds; round += 1) {
      // In the other direction in every second round, so that a drift of the machine does not favour one side.
      for (const stage of round % 2 === 0 ? STAGES : STAGES.toReversed())
        cpu[stage].push(cpuOfServices(await run(stage)));
    }
  } finally {
    collector?.closeAllConnections();
    collector?.close();
  }
  say(`CPU of the services a payment, without metrics and traces: ${median(cpu.bare).toFixed(3)} ms`);
  return {
    metrics: report('metrics', cpu.bare, cpu.standard),
    traces: report('traces at 1 %', cpu.standard, cpu.traced),
  };
}

const TARGET = 0.02;

/** Compares the runs of the same round, because rounds differ more than sides. */
function report(what: string, without: number[], having: number[]): number[] {
  const added = having.map((ms, round) => ms / (without[round] ?? Number.NaN) - 1);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const middle = median(added);
  const verdict = middle <= TARGET ? '✓' : '!';
  say(
    `${what}: ${percent(middle)} (rounds: ${added.map(percent).join(', ')}; target: at most ${percent(TARGET)})`,
    verdict,
  );
  return added;
}

/** Takes spans and drops them. Undefined if the port is taken, by the Jaeger of `make observe` for instance. */
async function startCollector(port: number): Promise<Server | undefined> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
