/**
 * Named places where a process may be made to die, so that tests can ask what a crash right there leaves behind.
 * Off unless a folder is armed, and then each file in it is one death: it is removed first, so that the restart lives.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

let folder: string | undefined;

/** Watches `dir` for files named after fault points. Only tests set it; undefined or empty turns all off. */
export function armFaults(dir: string | undefined): void {
  folder = dir || undefined;
}

/** Dies here with SIGKILL, as a crash would, if a file named `name` lies in the armed folder. */
export function faultPoint(name: string): void {
  if (folder === undefined) return;
  const marker = join(folder, name);
  if (statSync(marker, { throwIfNoEntry: false }) === undefined) return;
  rmSync(marker, { force: true });
  process.kill(process.pid, 'SIGKILL');
}
