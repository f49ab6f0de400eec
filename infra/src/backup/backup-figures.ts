/** The times of the last backup and of its last check, for node_exporter. Alerts compare them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TEXT_FIGURES } from '../observe/prometheus.ts';
import { replaceFile } from './archive.ts';

/** The names of the figures, for the alerts BackupTooOld and BackupCheckTooOld. */
const FIGURES = {
  backup: 'payflowx_backup_last_success_timestamp_seconds',
  check: 'payflowx_backup_check_last_success_timestamp_seconds',
} as const;

export async function reportSuccess(figure: keyof typeof FIGURES, time: Date): Promise<void> {
  const seconds = Math.floor(time.getTime() / 1_000);
  const file = figure === 'backup' ? 'backup.prom' : 'backup-check.prom';
  await mkdir(TEXT_FIGURES, { recursive: true });
  await replaceFile(join(TEXT_FIGURES, file), `${FIGURES[figure]}{server="postgres"} ${seconds}\n`);
}
