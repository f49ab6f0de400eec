/** Processes that tests start and kill at the fault points of the code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A free port of the loopback address. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

export interface MortalScript {
  /** Runs the script until the process dies at this fault point. Rejects if it ends in any other way. */
  dieAt(faultPoint: string): Promise<void>;
  /** Runs the script to its end. Rejects if it dies. */
  finish(): Promise<void>;
  drop(): Promise<void>;
}

/** A script that calls armFaults with the folder in its last argument. */
export async function mortalScript(script: URL, args: readonly string[]): Promise<MortalScript> {
  const faults = await mkdtemp(join(tmpdir(), 'faults-'));

  async function run(expected: NodeJS.Signals | 0): Promise<void> {
    const child = spawn(process.execPath, [fileURLToPath(script), ...args, faults], { stdio: 'inherit' });
    const [code, signal] = await once(child, 'exit');
    if ((signal ?? code) !== expected)
      throw new Error(`The process ended with ${signal ?? code}, not with ${expected}.`);
  }

  return {
    async dieAt(faultPoint) {
      await writeFile(join(faults, faultPoint), '');
      await run('SIGKILL');
      const left = await readdir(faults);
      if (left.length > 0) throw new Error(`The process was killed, but not at ${left}.`);
    },
    finish: () => run(0),
    drop: () => rm(faults, { recursive: true }),
  };
}
