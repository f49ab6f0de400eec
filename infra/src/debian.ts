/** Installs Debian packages, if possible: as root, on a machine with apt. */
import { rm, writeFile } from 'node:fs/promises';
import { Failure } from './failure.ts';
import { withLock } from './lock.ts';
import { cache } from './paths.ts';
import type { Note } from './progress.ts';
import { logged, which } from './run.ts';

/** Debian starts a service after installing its package, unless this script forbids it. We run our own instance. */
const POLICY = '/usr/sbin/policy-rc.d';

export async function installDebianPackages(packages: string[], why: string, note: Note): Promise<void> {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !(await which('apt-get'))) {
    throw new Failure(
      `${why} is not installed.`,
      `Install it (on Debian: sudo ${command}), then run this again.`,
    );
  }
  await withLock(
    `${cache}/apt.lock`,
    () => note('another installation is at work; waiting for it'),
    async () => {
      note(`installing ${packages.join(', ')} by apt (about 20 s)`);
      const remedy = `Run \`apt-get update && ${command}\` by hand to see more.`;
      const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
      const wait = ['-o', 'DPkg::Lock::Timeout=120'];
      await withoutServiceStarts(async () => {
        await logged('apt-update', ['apt-get', ...wait, 'update', '-qq'], remedy, options);
        await logged('apt-install', ['apt-get', ...wait, ...command.split(' ').slice(1)], remedy, options);
      });
    },
  );
}

async function withoutServiceStarts(work: () => Promise<void>): Promise<void> {
  const ours = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false, // The machine has its own policy already.
  );
  try {
    await work();
  } finally {
    if (ours) await rm(POLICY);
  }
}
