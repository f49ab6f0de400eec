/** Starts the load generator and sends it commands. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LatencyFigures } from './latencies.ts';
import type { Loop } from './loops.ts';
import type { Tally } from './tally.ts';
import type { Workload } from './traffic.ts';

export interface Orders {
  logIn: { kind: 'logIn'; gateway: string; book: string };
  run: {
    kind: 'run';
    gateways: readonly string[];
    book: string;
    accounts: number;
    workload: Workload;
    loop: Loop;
    run: string;
    currency: string;
    perPaymentLimit: number;
  };
}
export type Order = Orders[keyof Orders];

export interface GeneratorReport {
  /** Milliseconds since 1970. */
  startedAt: number;
  lastAnswerAt: number;
  seconds: number;
  cpuMs: number;
  tally: Tally;
  /** By kind of operation, in milliseconds. */
  latencies: Record<string, LatencyFigures>;
  lastPayments: string[];
}

export interface Generator {
  readonly pid: number;
  run(order: Omit<Orders['run'], 'kind'>): Promise<GeneratorReport>;
  stop(): void;
}

/** Resolves when all users are logged in. */
export async function startGenerator(order: Omit<Orders['logIn'], 'kind'>): Promise<Generator> {
  const child = fork(fileURLToPath(new URL('generator.ts', import.meta.url)));
  await answerTo(child, { kind: 'logIn', ...order });
  return {
    pid: child.pid ?? 0,
    run: async (run) => (await answerTo(child, { kind: 'run', ...run })) as GeneratorReport,
    stop: () => child.disconnect(),
  };
}

function answerTo(child: ChildProcess, order: Order): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`The load generator ended with ${code}.`));
    child.once('exit', ended);
    child.once('message', (message: { failed?: string }) => {
      child.off('exit', ended);
      if (message.failed) reject(new Error(`The load generator failed: ${message.failed}`));
      else resolve(message);
    });
    child.send(order);
  });
}
