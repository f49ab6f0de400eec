/** Restores all databases as of a moment into a folder, and runs PostgreSQL there on a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { Failure } from '../failure.ts';
import type { Note } from '../progress.ts';
import { capture, poll } from '../run.ts';
import { accessFlags, findBinaries, restoredBeside } from '../servers/postgres-files.ts';
import type { Owner } from '../servers/postgres-owner.ts';
import { type Archive, IDENTITY } from './archive.ts';
import { type BaseBackup, listBackups } from './take-backup.ts';

export interface RestoredServer {
  /** The same as the given URL, on the port of this server. */
  readonly url: string;
  /** The last moment that was restored. */
  readonly restoredTo: Date | undefined;
  stop(): Promise<void>;
}

/** Undefined restores everything that is archived. Returns the newest base backup that ended before. */
export async function chooseBackup(archive: Archive, to: Date | undefined) {
  const backups = await listBackups(archive);
  const chosen = backups.findLast(({ backup }) => !to || new Date(backup.finishedAt) <= to);
  if (chosen) return chosen;
  const oldest = backups[0]?.backup.finishedAt;
  throw new Failure(
    oldest ? `The oldest backup is of ${oldest}.` : `There is no backup in ${archive.folder}.`,
    oldest ? 'Choose a later time.' : 'Take one with `make backup`, or name its folder in BACKUP_DIR.',
  );
}

interface Chosen {
  folder: string;
  backup: BaseBackup;
}

const keyBeside = (data: string) => join(dirname(data), 'restore-key');

/** After `unpack`, and also after its failure. */
export async function removeKey(data: string): Promise<void> {
  await rm(keyBeside(data), { force: true });
}

/** A folder beside the data for a restore that is only looked at. */
export const CHECK_PREFIX = 'restored-';

/** Removes what killed runs have left beside the data: private keys, and restored databases, which are not encrypted. */
export async function removeRemains(data: string): Promise<void> {
  await removeKey(data);
  const names = await readdir(dirname(data));
  const remains = names.filter(
    (name) => name.startsWith(CHECK_PREFIX) || name === basename(restoredBeside(data)),
  );
  for (const name of remains) await rm(join(dirname(data), name), { recursive: true, force: true });
}

/** Unpacks the backup into a new folder, with the settings of a recovery up to `to`. The private key is beside it until `removeKey`. */
export async function unpack(
  archive: Archive,
  { folder }: Chosen,
  { data, to, owner }: { data: string; to: Date | undefined; owner: Owner },
): Promise<void> {
  // An interrupted restore may have left a part.
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true, mode: 0o700 });
  await owner.own(data);
  // The user of the database reads the key during the recovery only.
  const key = keyBeside(data);
  await copyFile(IDENTITY, key);
  await owner.own(key);
  const script = `set -euo pipefail; age -d -i '${key}' '${folder}/data.tar.gz.age' | tar -C '${data}' -xz
    mkdir -p '${data}'/pg_wal/archive_status`;
  const { code, output } = await capture([...owner.command, 'bash', '-c', script]);
  if (code !== 0) throw new Failure(`The backup cannot be unpacked: ${output}`, `Look at ${folder}.`);
  await copyFile(join(folder, 'backup_label'), join(data, 'backup_label'));
  await writeFile(join(data, 'recovery.signal'), '');
  await appendFile(join(data, 'postgresql.auto.conf'), recoverySettings(archive, key, to));
  for (const name of ['backup_label', 'recovery.signal']) await owner.own(join(data, name));
}

/**
 * Later lines win. No client can connect before the end of the recovery.
 *
 * It follows the time line of the base backup, which was the one in use at that time. A newer one may belong to a restore that was
 * undone since.
 */
function recoverySettings({ wal }: Archive, key: string, to: Date | undefined): string {
  const decrypt = `age -d -i "${key}" "${wal}/%f.gz.age" 2>/dev/null | gzip -d >"%p"`;
  const restore = `bash -c 'set -o pipefail; [ -f "${wal}/%f.gz.age" ] && ${decrypt}'`;
  return [
    `restore_command = '${restore.replaceAll("'", "''")}'`,
    `recovery_target_timeline = 'current'`,
    ...(to ? [`recovery_target_time = '${timestamp(to)}'`, `recovery_target_action = 'promote'`] : []),
    `hot_standby = off`,
    '',
  ].join('\n');
}

/** In the form of PostgreSQL's settings, which do not take RFC 3339. */
function timestamp(time: Date): string {
  return time.toISOString().replace('T', ' ').replace('Z', '+00');
}

/** After the recovery, the server must not read the archive again. */
export async function endRecovery(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const names = [
      'restore_command',
      'recovery_target_timeline',
      'recovery_target_time',
      'recovery_target_action',
      'hot_standby',
    ];
    for (const name of names) await client.query(`alter system reset ${name}`);
  });
}

interface Recovery {
  url: string;
  port: number;
  owner: Owner;
  note: Note;
  /** True for a server that continues: it keeps its WAL and its time line until it archives them. */
  continues: boolean;
}

/** Runs PostgreSQL until the recovery is complete. */
export async function runRecovery(
  data: string,
  { url, port, owner, note, continues }: Recovery,
): Promise<RestoredServer> {
  const { postgres } = await findBinaries(owner, note);
  const flags = {
    ...accessFlags(data),
    port: String(port),
    // Nothing is archived before its books were compared. An empty command keeps the files, so that they are archived later.
    ...(continues ? { archive_mode: 'on', archive_command: '' } : { archive_mode: 'off' }),
    listen_addresses: '127.0.0.1',
  };
  const options = Object.entries({ ...flags, unix_socket_directories: '', max_connections: '300' });
  const command = [
    ...owner.command,
    postgres,
    '-D',
    data,
    ...options.flatMap(([key, text]) => ['-c', `${key}=${text}`]),
  ];
  const [file = '', ...args] = command;
  const server = spawn(file, args, { cwd: dirname(data), stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr?.on('data', (chunk) => (log += chunk));
  const own = new URL(url);
  own.port = String(port);
  const ended = once(server, 'exit').then(() => undefined);
  if (!(await poll(() => askRecovery(own.href, server), RECOVERED_WITHIN_MS))) {
    server.kill('SIGKILL');
    throw new Failure(
      `The recovery failed:\n${log.split('\n').slice(-12).join('\n')}`,
      `The restored data is in ${data}.`,
    );
  }
  const last = [...log.matchAll(/last completed transaction was at log time (.+)/g)].at(-1)?.[1];
  return {
    url: own.href,
    restoredTo: last ? new Date(last) : undefined,
    async stop() {
      server.kill('SIGINT');
      await ended;
    },
  };
}

/** An hour of WAL takes minutes. */
const RECOVERED_WITHIN_MS = 60 * 60 * 1_000;

/** Returns false if the server has ended. Throws while it recovers. */
async function askRecovery(url: string, server: ChildProcess): Promise<boolean> {
  if (server.exitCode !== null || server.signalCode !== null) return false;
  await withClient(url, (client) => client.query('select 1'));
  return true;
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
