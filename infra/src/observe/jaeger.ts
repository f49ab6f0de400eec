/** Jaeger, natively, built from its Go module once per machine. It keeps traces in memory. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { withLock } from '../lock.ts';
import { cache, local, root } from '../paths.ts';
import type { Note } from '../progress.ts';
import { capture, isExecutable, which } from '../run.ts';
import type { Settings } from '../settings.ts';
import { fingerprint, type Program } from '../supervisor-config.ts';

const VERSION = '1.76.0'; // Must equal the version in go.mod.
const built = join(cache, `jaeger-${VERSION}/jaeger`);
const folder = join(local, 'jaeger');
const LOOPBACK = '127.0.0.1';
const KEPT_TRACES = 20_000;

/** False for a Jaeger that is built here: the Go module has the API, but not the files of the page. */
export async function hasJaegerPage(): Promise<boolean> {
  return (await which('jaeger')) !== undefined;
}

/** Returns the program: one on the PATH, or one that is built here, which takes minutes. */
export async function installJaeger(note: Note): Promise<string> {
  const found = await which('jaeger');
  if (found) return found;
  await ensureBuilt(note);
  return built;
}

async function ensureBuilt(note: Note): Promise<void> {
  if (await isExecutable(built)) return;
  if (!(await which('go')))
    throw new Failure(
      'There is no Jaeger on the PATH, and no Go to build it with.',
      'Install Go 1.24 or later (https://go.dev/dl), or put `jaeger` on the PATH.',
    );
  note('building Jaeger, once on this machine; this takes some minutes');
  await withLock(
    join(cache, 'jaeger.lock'),
    () => note('another build of Jaeger is running; waiting for it'),
    build,
  );
}

async function build(): Promise<void> {
  if (await isExecutable(built)) return;
  await mkdir(join(cache, `jaeger-${VERSION}`), { recursive: true });
  const making = `${built}.new`;
  const flags = ['-mod=readonly', '-buildvcs=false', '-gcflags=all=-N -l', '-ldflags=-s -w'];
  const command = ['go', 'build', ...flags, '-o', making, 'github.com/jaegertracing/jaeger/cmd/jaeger'];
  const options = { cwd: join(root, 'infra/jaeger'), env: { ...process.env, CGO_ENABLED: '0' } };
  const { code, output } = await capture(command, options);
  if (code !== 0) throw new Failure(`go build ended with ${code}:\n${output}`, 'Correct it, and try again.');
  await rename(making, built);
}

export interface JaegerPorts {
  /** Its page and its API. */
  jaeger: number;
  jaeger_grpc: number;
  /** Receives OTLP over HTTP. */
  jaeger_otlp: number;
}

export async function jaegerProgram(binary: string, { ports }: Pick<Settings, 'ports'>): Promise<Program> {
  const file = join(folder, 'jaeger.yaml');
  const contents = jaegerConfiguration(ports);
  await mkdir(folder, { recursive: true });
  await writeFile(file, contents);
  return {
    name: 'jaeger',
    command: [binary, `--config=file:${file}`],
    folder,
    env: fingerprint(contents),
    stopSignal: 'TERM',
    isBackground: true,
  };
}

/** Jaeger's configuration, as JSON, which is YAML too. */
export function jaegerConfiguration(ports: JaegerPorts): string {
  const at = (port: number) => ({ endpoint: `${LOOPBACK}:${port}` });
  return JSON.stringify(
    {
      service: {
        extensions: ['jaeger_storage', 'jaeger_query'],
        pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
        telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
      },
      extensions: {
        jaeger_storage: { backends: { memory: { memory: { max_traces: KEPT_TRACES } } } },
        jaeger_query: { storage: { traces: 'memory' }, http: at(ports.jaeger), grpc: at(ports.jaeger_grpc) },
      },
      receivers: { otlp: { protocols: { http: at(ports.jaeger_otlp) } } },
      exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
    },
    null,
    2,
  );
}
