/** Ends processes of this platform that outlived their supervisor (killed with -9, for example). */
import { readdir, readFile } from 'node:fs/promises';
import type { Note } from './progress.ts';
import { poll } from './run.ts';
import { MARK } from './supervisor-config.ts';

export async function endStrays(note: Note): Promise<void> {
  const pids = await findStrays();
  if (pids.length === 0) return;
  note(`ending ${pids.length} processes that an earlier run left behind`);
  send('SIGTERM', pids);
  const gone = await poll(requireNone, 10_000);
  if (gone) return;
  send('SIGKILL', await findStrays());
  await poll(requireNone, 5_000);
}

async function requireNone(): Promise<true> {
  if ((await findStrays()).length > 0) throw new Error('still running');
  return true;
}

/** Every process whose environment carries the mark of this checkout. Where there is no /proc, none is found. */
async function findStrays(): Promise<number[]> {
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
      // It ended meanwhile.
    }
  }
}
