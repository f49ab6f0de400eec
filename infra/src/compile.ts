/**
 * Compiles the services before they start. A process that strips its types itself loads a compiler for that, and keeps those 12 MB for
 * as long as it lives.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, together } from './failure.ts';
import { root } from './paths.ts';
import { capture } from './run.ts';
import { COMPILE_CACHE, SERVICE_NAMES, type ServiceName, sources, startCommand } from './services.ts';
import { fingerprint } from './supervisor-config.ts';

/** What was compiled of each service; with the cache, so that who deletes the one deletes the other. */
const stamps = join(COMPILE_CACHE.NODE_COMPILE_CACHE, 'stamps');

/** What a service loads only when its configuration says so. */
const REFLECTION = join(root, 'chassis/src/rpc/reflection.ts');

/** Does nothing for those whose code is what it was. */
export async function compileServices(): Promise<void> {
  await mkdir(stamps, { recursive: true });
  await together(SERVICE_NAMES.map(compile));
}

/** Without a configuration a service loads all of its code, which fills the cache, says what is missing (chassis' ConfigError), and ends. */
async function compile(service: ServiceName): Promise<void> {
  const command = startCommand(service, ['--import', REFLECTION]);
  const state = JSON.stringify(fingerprint(`${command.join(' ')}\n${sources(service)}`));
  const stamp = join(stamps, service);
  if ((await readFile(stamp, 'utf8').catch(() => '')) === state) return;
  const folder = join(root, service);
  const { output } = await capture(command, { cwd: folder, env: COMPILE_CACHE, timeout: 60_000 });
  if (!output.includes('The configuration is not usable')) {
    throw new Failure(
      `${service} cannot be loaded:\n    ${output.trim()}`,
      `Mend what it names, in ${folder}.`,
    );
  }
  await writeFile(stamp, state);
}
