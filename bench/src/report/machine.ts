/** Describes machine, versions and settings. Figures of different machines or versions cannot be compared. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresProbe } from '../measure/postgres.ts';
import type { Checkout } from '../platform/checkout.ts';

const run = promisify(execFile);

export async function describeMachine(
  { folder, local }: Checkout,
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
    Kafka: versionIn(`/proc/${pids.get('kafka')}/cmdline`, /kafka-(\d[\d.]*\d)\/libs/),
    RabbitMQ: versionIn(join(local, 'logs/rabbitmq.log'), /RabbitMQ (\d[\d.]*\d)/),
    commit: `${commit}${changes ? ' and changes' : ''}`,
  };
}

/** Reads a version from a server's command line or log. */
function versionIn(path: string, pattern: RegExp): string {
  try {
    return pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
