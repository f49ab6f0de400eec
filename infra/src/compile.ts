/**
 * Compiles the services before they start. A process that strips its own types loads a compiler, and keeps its 12 MB for the rest
 * of its life.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, together } from './failure.ts';
import { root } from './paths.ts';
import { capture } from './run.ts';
import { COMPILE_CACHE, SERVICE_NAMES, type ServiceName, sources, startCommand } from './services.ts';
import { fingerprint } from './supervisor-config.ts';

/** Stamps of the compiled services. They are inside the cache, so deleting the cache deletes them too. */
const stamps = join(COMPILE_CACHE.NODE_COMPILE_CACHE, 'stamps');

/** Loaded by a service only if its configuration says so. */
const REFLECTION = join(root, 'chassis/src/rpc/reflection.ts');

/** All services compile at once. On a busy machine that takes minutes, and a service that is ended early leaves nothing in the cache. */
const COMPILED_WITHIN_MS = 300_000;

/** Skips services whose code has not changed. */
export async function compileServices(): Promise<void> {
  await mkdir(stamps, { recursive: true });
  await together(SERVICE_NAMES.map(compile));
}

/**
 * Without a configuration, a service loads all of its code, which fills the cache. It then reports the missing settings (chassis'
 * ConfigError) and ends.
 */
async function compile(service: ServiceName): Promise<void> {
  const command = startCommand(service, ['--import', REFLECTION]);
  const state = JSON.stringify(fingerprint(`${command.join(' ')}\n${sources(service)}`));
  const stamp = join(stamps, service);
  if ((await readFile(stamp, 'utf8').catch(() => '')) === state) return;
  const folder = join(root, service);
  const { output } = await capture(command, { cwd: folder, env: COMPILE_CACHE, timeout: COMPILED_WITHIN_MS });
  if (!output.includes('The configuration is not usable')) {
    throw new Failure(
      `${service} cannot be loaded:\n    ${output.trim()}`,
      `Correct the errors above, in ${folder}.`,
    );
  }
  await writeFile(stamp, state);
}
