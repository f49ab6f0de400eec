/** Ends processes of this platform that outlived their supervisor (for example after kill -9). */
import { readdir, readFile } from 'node:fs/promises';
import type { Note } from './progress.ts';
import { poll } from './run.ts';
import { MARK } from './supervisor-config.ts';

export async function endOrphans(note: Note): Promise<void> {
  const pids = await findOrphans();
  if (pids.length === 0) return;
  note(`ending ${pids.length} processes that an earlier run left behind`);
  send('SIGTERM', pids);
  const gone = await poll(requireNone, 10_000);
  if (gone) return;
  send('SIGKILL', await findOrphans());
  await poll(requireNone, 5_000);
}

async function requireNone(): Promise<true> {
  if ((await findOrphans()).length > 0) throw new Error('still running');
  return true;
}

/** Every process with the mark of this checkout in its environment. Without /proc, none is found. */
async function findOrphans(): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const marked = await Promise.all(pids.map(isMarked));
  return pids.filter((_, index) => marked[index]);
}

async function isMarked(pid: number): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environment.split('\0').includes(`${MARK.name}=${MARK.value}`);
}

function send(signal: NodeJS.Signals, pids: number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // The process has ended meanwhile.
    }
  }
}
