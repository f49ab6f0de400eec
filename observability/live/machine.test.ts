/** The alerts about the machine fire and clear. They need no platform of their own, only its targets. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { type Prometheus, startPrometheus } from './prometheus.ts';

let prometheus: Prometheus;
beforeAll(async () => {
  prometheus = await startPrometheus();
});
afterAll(() => prometheus?.stop());

it('a disk is full', async () => {
  const disk = join(tmpdir(), 'payflowx-full-disk');
  mkdirSync(disk, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'payflowx', disk]);
  try {
    await prometheus.fires(
      ['DiskNearlyFull'],
      async () => writeFileSync(join(disk, 'full'), Buffer.alloc(1_000_000)),
      async () => rmSync(join(disk, 'full')),
    );
  } finally {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  }
});

it.each([
  ['backup', 'BackupTooOld', 'backup.prom', 'payflowx_backup_last_success_timestamp_seconds'],
  [
    'check of a backup',
    'BackupCheckTooOld',
    'backup-check.prom',
    'payflowx_backup_check_last_success_timestamp_seconds',
  ],
])('the last %s is old', (_, alert, file, figure) => {
  const succeeded = async (seconds: number) =>
    writeFileSync(join(prometheus.figures, file), `${figure}{server="postgres"} ${seconds}\n`);
  return prometheus.fires(
    [alert],
    () => succeeded(Date.now() / 1_000 - 7_200),
    () => succeeded(Date.now() / 1_000),
  );
});
