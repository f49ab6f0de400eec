/** Prevents two runs from doing the same work at once. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs the work while no other process holds the lock on this file.
 *
 * A child process, `flock`, holds the lock until its standard input ends. The kernel closes that input when this process ends,
 * even by kill -9. So no stale lock remains, and child processes of the work do not inherit it.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn('flock', [file, 'sh', '-c', 'echo; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const timer = setTimeout(onWait, 300);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('error', reject);
      holder.once('exit', (code) => reject(new Error(`flock on ${file} ended with ${code}`)));
    });
  } finally {
    clearTimeout(timer);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
  }
}
