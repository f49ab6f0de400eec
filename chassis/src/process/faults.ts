/**
 * Fault points: named places where tests kill a process, to check the state that a crash leaves. They are off unless a folder is
 * armed. Then each file in it causes one death. The file is removed first, so that the process survives after the restart.
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

let folder: string | undefined;

/** Watches `dir` for files named after fault points. Only tests set it; undefined or empty turns all off. */
export function armFaults(dir: string | undefined): void {
  folder = dir || undefined;
}

/** Ends the process with SIGKILL, like a crash, if the armed folder has a file named `name`. */
export function faultPoint(name: string): void {
  if (folder === undefined) return;
  const marker = join(folder, name);
  if (statSync(marker, { throwIfNoEntry: false }) === undefined) return;
  rmSync(marker, { force: true });
  process.kill(process.pid, 'SIGKILL');
}
