/** The container engine that builds and runs images. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { local } from '../paths.ts';
import { capture, type Outcome, which } from '../run.ts';

export interface Engine {
  readonly name: string;
  run(args: string[]): Promise<Outcome>;
}

/** The first engine that answers. A client without an engine is common. */
export async function requireEngine(): Promise<Engine> {
  for (const name of ['docker', 'podman']) {
    if (!(await which(name))) continue;
    const env = { ...process.env, ...(name === 'podman' && (await podmanSettings())) };
    const asked = await capture([name, 'info'], { env, timeout: 20_000 });
    if (asked.code === 0) return { name, run: (args) => capture([name, ...args], { env }) };
  }
  throw new Failure(
    'There is no container engine that answers.',
    'Start Docker, or install podman (on Debian: apt-get install podman runc).',
  );
}

/**
 * In a container without CAP_SYS_RESOURCE, podman cannot raise the limits of its containers, and crun refuses the groups of processes. The
 * settings are in a file of this checkout. A file that the user has chosen takes precedence.
 */
async function podmanSettings(): Promise<Record<string, string>> {
  if (process.env.CONTAINERS_CONF || process.getuid?.() !== 0 || !(await which('runc'))) return {};
  const file = join(local, 'images/containers.conf');
  mkdirSync(join(local, 'images'), { recursive: true });
  writeFileSync(
    file,
    '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n\n[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\n',
  );
  return { CONTAINERS_CONF: file };
}
