/** Builds Consul from its Go module, once per machine. This takes minutes, so it runs in parallel to the other steps. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { withLock } from '../lock.ts';
import { cache, root } from '../paths.ts';
import { capture, isExecutable, tail, which } from '../run.ts';

const VERSION = '1.16.3'; // Must equal the version in go.mod.
export const consulBinary = join(cache, `consul-${VERSION}/consul`);
export const consulBuildLog = join(cache, `consul-${VERSION}/build.log`);

export function hasConsulBinary(): Promise<boolean> {
  return isExecutable(consulBinary);
}

/** Builds without optimisations. The agent of one machine has little work, and the build takes a minute less. */
export async function buildConsul(): Promise<void> {
  await withLock(
    join(cache, 'consul.lock'),
    () => console.log('Another build of Consul is running; waiting for it.'),
    async () => {
      if (await hasConsulBinary()) return;
      const making = `${consulBinary}.new`;
      const options = { cwd: join(root, 'infra/consul'), env: { ...process.env, CGO_ENABLED: '0' } };
      const flags = ['-mod=readonly', '-buildvcs=false', '-gcflags=all=-N -l', '-ldflags=-s -w'];
      const build = ['go', 'build', ...flags, '-o', making, 'github.com/hashicorp/consul'];
      const { code, output } = await capture(build, options);
      console.log(output);
      if (code !== 0) throw new Failure(`go build ended with ${code}.`, 'See the output above.');
      await rename(making, consulBinary);
    },
  );
}

/**
 * Starts the build in a separate process, which continues after this one ends, and waits up to `waitMs` for it. Returns true if
 * there is a binary now.
 */
export async function waitForBuild(waitMs: number, onWait: (seconds: number) => void): Promise<boolean> {
  if (!(await which('go'))) {
    throw new Failure(
      'There is no Consul on the PATH, no container engine, and no Go to build it with.',
      'Install Go 1.24 or later (https://go.dev/dl), or put `consul` on the PATH, or give CONSUL_URL.',
    );
  }
  const build = startBuild();
  const started = performance.now();
  const progress = setInterval(() => onWait(Math.round((performance.now() - started) / 1000)), 30_000);
  const timeout = new Promise<'late'>((resolve) => setTimeout(resolve, waitMs, 'late').unref());
  const outcome = await Promise.race([build, timeout]);
  clearInterval(progress);
  if (outcome === 'failed') {
    throw new Failure(
      `Consul could not be built:\n    ${await tail(consulBuildLog)}`,
      `See ${consulBuildLog}; to skip the build, put \`consul\` on the PATH or give CONSUL_URL.`,
    );
  }
  return outcome === 'built';
}

function startBuild(): Promise<'built' | 'failed'> {
  mkdirSync(dirname(consulBuildLog), { recursive: true });
  const log = openSync(consulBuildLog, 'a');
  const cli = join(root, 'infra/src/cli.ts');
  const child = spawn(process.execPath, [cli, 'build-consul'], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  return new Promise((resolve) => {
    child.once('error', () => resolve('failed'));
    child.once('exit', (code) => resolve(code === 0 ? 'built' : 'failed'));
  });
}
