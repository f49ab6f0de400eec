/** `make backup`: a base backup of all databases, while they run. From then on, PostgreSQL archives its WAL continuously. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { Failure } from '../failure.ts';
import { local } from '../paths.ts';
import { type Note, step } from '../progress.ts';
import { capture } from '../run.ts';
import { findOwner, type Owner } from '../servers/postgres-owner.ts';
import { type Archive, archiveBeside, ensureKey, replaceFile } from './archive.ts';
import { reportSuccess } from './backup-figures.ts';

/** Times are RFC 3339. */
export interface BaseBackup {
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The first WAL file that a restore needs. */
  readonly firstWal: string;
}

/** Base backups that are kept; the WAL before the oldest is deleted. */
const KEPT = 7;
/** A WAL file is archived after this time, even if it is not full. So a loss of the disk loses at most that much. */
const ARCHIVE_TIMEOUT = '60s';
const ARCHIVED_WITHIN = '5min';
/** Contents that a restore must not have, or makes again: https://www.postgresql.org/docs/18/continuous-archiving.html */
const LEFT_OUT = [
  'pg_wal/*',
  'pg_replslot/*',
  'pg_dynshmem/*',
  'pg_notify/*',
  'pg_serial/*',
  'pg_snapshots/*',
];
const LEFT_OUT_TOO = ['pg_stat_tmp/*', 'pg_subtrans/*', 'postmaster.pid', 'postmaster.opts', '*/pgsql_tmp*'];

export async function takeBackup(adminUrl: string): Promise<void> {
  await step('backup', async (note) => {
    const owner = await findOwner(note);
    const client = new pg.Client({ connectionString: adminUrl, application_name: 'backup' });
    await client.connect();
    try {
      const data = await archivingData(client);
      const archive = archiveBeside(data);
      const key = await ensureKey(note);
      await removeUnfinished(archive);
      await turnOnArchiving(client, archive, key);
      const backup = await copyData(client, { data, archive, owner, key, note });
      const removed = await removeOld(archive);
      await reportSuccess('backup', new Date(backup.finishedAt));
      return `${backup.startedAt} is in ${archive.folder}; ${removed} older backups deleted`;
    } finally {
      await client.end();
    }
  });
}

/** Returns the data folder of a server that archives its WAL. */
export async function archivingData(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ data: string; mode: string }>(
    "select current_setting('data_directory') as data, current_setting('archive_mode') as mode",
  );
  if (rows[0]?.mode === 'on') return rows[0].data;
  throw new Failure(
    'This PostgreSQL does not archive its WAL.',
    'Run `make up` once, or use the backups of its owner.',
  );
}

async function turnOnArchiving(client: pg.Client, { recipient }: Archive, key: string) {
  await replaceFile(recipient, `${key}\n`);
  await client.query(`alter system set archive_timeout = '${ARCHIVE_TIMEOUT}'`);
  await client.query('select pg_reload_conf()');
}

interface Copy {
  data: string;
  archive: Archive;
  owner: Owner;
  /** The public key. */
  key: string;
  note: Note;
}

/** The folder gets its name when it is complete. The session stays open: PostgreSQL ends the backup with it. */
async function copyData(client: pg.Client, { data, archive, owner, key, note }: Copy): Promise<BaseBackup> {
  const startedAt = new Date().toISOString();
  const name = startedAt.replaceAll(':', '-');
  const folder = join(archive.bases, `${name}${UNFINISHED}`);
  await mkdir(folder, { mode: 0o700 });
  await owner.own(folder);
  const { rows } = await client.query<{ wal: string }>(
    'select pg_walfile_name(pg_backup_start($1, fast => true)) as wal',
    [name],
  );
  note('copying the databases');
  const target = join(folder, 'data.tar.gz.age');
  const script = `set -euo pipefail; ${copyCommand(data)} | age -r '${key}' -o '${target}'`;
  await succeed([...owner.command, 'bash', '-c', script]);
  await writeFile(join(folder, 'backup_label'), await stopBackup(client));
  await succeed(['age', '-r', key, '-o', join(folder, 'secrets.json.age'), join(local, 'secrets.json')]);
  const backup = { startedAt, finishedAt: new Date().toISOString(), firstWal: rows[0]?.wal ?? '' };
  await writeFile(join(folder, 'backup.json'), `${JSON.stringify(backup, null, 2)}\n`);
  await rename(folder, join(archive.bases, name));
  return backup;
}

/** Waits until the WAL of the backup is archived. Returns the contents of the file backup_label. */
async function stopBackup(client: pg.Client): Promise<string> {
  await client.query(`set statement_timeout = '${ARCHIVED_WITHIN}'`);
  try {
    const { rows } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => true)',
    );
    return rows[0]?.labelfile ?? '';
  } catch (error) {
    throw new Failure(
      `PostgreSQL did not archive its WAL within ${ARCHIVED_WITHIN}: ${error instanceof Error ? error.message : error}`,
      'See .local/logs/postgres.log: the archive may be full, or closed to its user.',
    );
  }
}

/** tar exits with 1 if a file changed while it was read. That is expected: the WAL repairs it. */
function copyCommand(data: string): string {
  const excluded = [...LEFT_OUT, ...LEFT_OUT_TOO].map((pattern) => `--exclude='./${pattern}'`).join(' ');
  return `{ tar -C '${data}' ${excluded} --warning=no-file-changed --warning=no-file-removed -c . || [ $? = 1 ]; } | gzip -1`;
}

async function succeed(command: string[]): Promise<void> {
  const { code, output } = await capture(command);
  if (code !== 0)
    throw new Failure(`The backup failed: ${output}`, 'Look at the message above; a full disk is usual.');
}

/** The end of the name of a base backup that is not complete. */
const UNFINISHED = '.new';

/** Removes base backups of runs that were interrupted. No other run is in progress, because backups take turns. */
async function removeUnfinished({ bases }: Archive): Promise<void> {
  const names = (await readdir(bases)).filter((name) => name.endsWith(UNFINISHED));
  for (const name of names) await rm(join(bases, name), { recursive: true });
}

/** Returns the complete base backups, oldest first. */
export async function listBackups({ bases }: Archive): Promise<{ folder: string; backup: BaseBackup }[]> {
  const names = (await readdir(bases).catch(() => [])).filter((name) => !name.endsWith(UNFINISHED)).sort();
  return Promise.all(
    names.map(async (name) => {
      const folder = join(bases, name);
      return { folder, backup: JSON.parse(await readFile(join(folder, 'backup.json'), 'utf8')) };
    }),
  );
}

async function removeOld(archive: Archive): Promise<number> {
  const backups = await listBackups(archive);
  const old = backups.slice(0, -KEPT);
  for (const { folder } of old) await rm(folder, { recursive: true });
  const first = backups.at(-KEPT)?.backup.firstWal ?? backups[0]?.backup.firstWal ?? '';
  for (const file of await readdir(archive.wal)) {
    // Names sort by time line and position. Histories of time lines are small, and kept.
    const [name = ''] = file.split('.');
    if (name.length === 24 && name < first && !file.includes('.history')) await rm(join(archive.wal, file));
  }
  return old.length;
}
