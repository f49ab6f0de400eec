/** Puts the data of this machine's PostgreSQL on a small disk in memory, to fill it. Needs root. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess, stopProcess } from './processes.ts';

const postgres = fileURLToPath(new URL('../../.local/postgres/', import.meta.url));

export interface SmallDisk {
  /** Takes all of the free space. */
  fill(): void;
  /** Gives the space back. */
  free(): void;
  /** Brings the data back to its own disk. PostgreSQL restarts. */
  end(): Promise<void>;
}

/** PostgreSQL restarts. */
export async function moveToSmallDisk(spareMb: number): Promise<SmallDisk> {
  const folder = realpathSync(postgres);
  const data = join(folder, 'data');
  const kept = join(folder, 'data.kept');
  const filler = join(data, 'filler');
  await stopProcess('postgres');
  const usedMb = Number(execFileSync('du', ['-sm', data], { encoding: 'utf8' }).split('\t')[0]);
  renameSync(data, kept);
  mkdirSync(data, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${usedMb + spareMb}m,mode=0700`, 'payflowx', data]);
  execFileSync('cp', ['-a', `${kept}/.`, data]);
  await startProcess('postgres');
  return {
    fill() {
      const { bavail, bsize } = statfsSync(data);
      execFileSync('fallocate', ['-l', String(bavail * bsize), filler]);
    },
    free: () => rmSync(filler, { force: true }),
    async end() {
      rmSync(filler, { force: true });
      await stopProcess('postgres');
      rmSync(kept, { recursive: true });
      execFileSync('cp', ['-a', data, kept]);
      execFileSync('umount', [data]);
      rmSync(data, { recursive: true });
      renameSync(kept, data);
      if (!existsSync(join(data, 'PG_VERSION'))) throw new Error(`${data} is not complete`);
      await startProcess('postgres');
    },
  };
}
