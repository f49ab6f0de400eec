/** On what, and with what, was measured: figures of two machines, or of two versions, are two things. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import type { PostgresProbe } from '../measure/postgres.ts';
import type { Checkout } from '../platform/checkout.ts';

const run = promisify(execFile);

export async function describeMachine(
  { folder }: Checkout,
  postgres: PostgresProbe,
  pids: ReadonlyMap<string, number>,
): Promise<Record<string, string | number>> {
  const git = (...args: string[]) =>
    run('git', args, { cwd: folder }).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
  const [commit, changes] = [await git('rev-parse', '--short', 'HEAD'), await git('status', '--porcelain')];
  return {
    cpu: cpus()[0]?.model ?? arch(),
    cores: cpus().length,
    'memory GiB': Math.round(totalmem() / 2 ** 30),
    linux: release(),
    node: process.version,
    PostgreSQL: postgres.version,
    Kafka: versionIn(pids.get('kafka'), /kafka-clients-([\d.]+)\.jar/),
    RabbitMQ: versionIn(pids.get('rabbitmq'), /rabbit-([\d.]+)/),
    commit: `${commit}${changes ? ' and changes' : ''}`,
  };
}

/** What the process' own command line tells. */
function versionIn(pid: number | undefined, pattern: RegExp): string {
  if (!pid) return 'unknown';
  try {
    return pattern.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
