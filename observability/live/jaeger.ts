/** The Jaeger that the platform's services send their traces to: that of `make observe`, or one of the tests' own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { installJaeger, jaegerProgram } from '../../infra/src/observe/jaeger.ts';
import { poll } from '../../infra/src/run.ts';
import { loadSettings } from '../../infra/src/settings.ts';

export interface Span {
  traceID: string;
  spanID: string;
  operationName: string;
  references: { refType: 'CHILD_OF' | 'FOLLOWS_FROM'; traceID: string; spanID: string }[];
  tags: { key: string; value: unknown }[];
  service: string;
}

export interface Jaeger {
  /** All spans of the trace in which `service` has a span with this tag. */
  findTrace(service: string, tags: Record<string, string>): Promise<Span[]>;
  readTrace(traceId: string): Promise<Span[]>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

export async function openJaeger(): Promise<Jaeger> {
  const settings = loadSettings(process.env);
  const url = `http://127.0.0.1:${settings.ports.jaeger}`;
  const isReady = async () => (await fetch(`${url}/api/services`)).ok;
  const stop = (await isReady().catch(() => false)) ? async () => undefined : await start();

  async function start() {
    const binary = await installJaeger(() => undefined);
    const { command, folder } = await jaegerProgram(binary, settings);
    const [file = '', ...args] = command;
    const child = spawn(file, args, { cwd: folder, stdio: 'ignore' });
    return async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    };
  }

  async function read(path: string): Promise<Span[]> {
    const answer = await fetch(`${url}/api/traces${path}`);
    if (answer.status === 404) return [];
    const { data } = (await answer.json()) as { data: RawTrace[] | null };
    return (data ?? []).flatMap(({ spans, processes }) =>
      spans.map(({ processID, ...span }) => ({
        ...span,
        references: span.references ?? [],
        service: processes[processID]?.serviceName ?? '',
      })),
    );
  }

  if (!(await poll(isReady, READY_WITHIN_MS))) throw new Error('Jaeger does not get ready.');
  return {
    findTrace: (service, tags) =>
      read(`?${new URLSearchParams({ service, tags: JSON.stringify(tags), limit: '5' })}`),
    readTrace: (traceId) => read(`/${traceId}`),
    stop,
  };
}

interface RawTrace {
  spans: (Omit<Span, 'service' | 'references'> & { processID: string; references?: Span['references'] })[];
  processes: Record<string, { serviceName: string }>;
}
