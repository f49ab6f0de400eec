/** Helm, built from its Go module once per machine. */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { withLock } from '../lock.ts';
import { cache } from '../paths.ts';
import type { Note } from '../progress.ts';
import { capture, isExecutable, which } from '../run.ts';

const VERSION = '3.19.5';
const folder = join(cache, `helm-${VERSION}`);
const built = join(folder, 'helm');

/** Returns the program: the one that is built here, so that each machine renders the chart with the same version. */
export async function installHelm(note: Note): Promise<string> {
  if (await isExecutable(built)) return built;
  if (!(await which('go')))
    throw new Failure('There is no Go to build Helm with.', 'Install Go 1.24 or later (https://go.dev/dl).');
  note('building Helm, once on this machine; this takes some minutes');
  await withLock(
    join(cache, 'helm.lock'),
    () => note('another build of Helm is running; waiting for it'),
    build,
  );
  return built;
}

/** Go compares the module with its public checksum database. */
async function build(): Promise<void> {
  if (await isExecutable(built)) return;
  const making = join(folder, 'new');
  await mkdir(making, { recursive: true });
  const flags = ['-buildvcs=false', '-gcflags=all=-N -l', '-ldflags=-s -w'];
  const command = ['go', 'install', ...flags, `helm.sh/helm/v3/cmd/helm@v${VERSION}`];
  const { code, output } = await capture(command, {
    env: { ...process.env, CGO_ENABLED: '0', GOBIN: making },
  });
  if (code !== 0)
    throw new Failure(`go install ended with ${code}:\n${output}`, 'Correct it, and try again.');
  await rename(join(making, 'helm'), built);
}
