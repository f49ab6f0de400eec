/**
 * The archive of backups: base backups and the WAL since the oldest. Both are encrypted for the public key of an age identity, so the
 * database's machine needs no secret to write them. PostgreSQL calls the archiver for each finished WAL file.
 */
import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { installDebianPackages } from '../debian.ts';
import { Failure } from '../failure.ts';
import { withLock } from '../lock.ts';
import { local } from '../paths.ts';
import { type Note, say } from '../progress.ts';
import { capture, which } from '../run.ts';
import type { Owner } from '../servers/postgres-owner.ts';

/** The private key. Without it no backup can be read: keep a copy elsewhere. */
export const IDENTITY = join(local, 'backup-key.txt');

export interface Archive {
  readonly folder: string;
  /** The public key. PostgreSQL archives nothing while it is missing. */
  readonly recipient: string;
  /** A folder for each base backup, named by the time of its start. */
  readonly bases: string;
  /** `<name>.gz.age` and `<name>.sha256` for each WAL file. */
  readonly wal: string;
  readonly archiver: string;
}

/** Beside the data of PostgreSQL, or in BACKUP_DIR, which should be on another disk. */
export function archiveBeside(data: string): Archive {
  const folder = process.env.BACKUP_DIR ?? join(dirname(data), 'backup');
  return {
    folder,
    recipient: join(folder, 'recipient'),
    bases: join(folder, 'base'),
    wal: join(folder, 'wal'),
    archiver: join(folder, 'archive-wal'),
  };
}

/**
 * PostgreSQL may pass a file twice, after a crash. A file with another content under the same name is refused: it comes from another
 * server, or from another time line.
 */
const ARCHIVER = `#!/bin/bash
# archive-wal <path> <name>: encrypts a finished WAL file into the archive. Written by make up.
set -euo pipefail
archive=$(dirname "$0")
file=$archive/wal/$2
[ -f "$archive/recipient" ] || exit 0
sum=$(sha256sum <"$1")
if [ -f "$file.sha256" ]; then [ "$(cat "$file.sha256")" = "$sum" ]; exit; fi
gzip -1 <"$1" | age -R "$archive/recipient" -o "$file.new"
mv "$file.new" "$file.gz.age"
echo "$sum" >"$file.sha256.new"
sync "$file.gz.age" "$file.sha256.new"
mv "$file.sha256.new" "$file.sha256"
sync "$archive/wal"
`;

/**
 * Writes the archiver, and returns PostgreSQL's settings that call it. PostgreSQL's user writes to `base` and `wal` only: who could replace
 * the archiver or the public key could read all later backups.
 */
export async function prepareArchive(data: string, owner: Owner): Promise<Record<string, string>> {
  const { folder, bases, wal, archiver } = archiveBeside(data);
  for (const each of [folder, bases, wal]) await mkdir(each, { recursive: true, mode: 0o700 });
  await chown(folder, process.getuid?.() ?? -1, process.getgid?.() ?? -1);
  await chmod(folder, 0o755);
  for (const each of [bases, wal]) await owner.own(each);
  await replaceFile(archiver, ARCHIVER);
  return { archive_mode: 'on', archive_command: `bash ${archiver} %p %f` };
}

/** A reader sees the old contents or the new. All may read the file, and only the current user may change it. */
export async function replaceFile(path: string, contents: string): Promise<void> {
  const next = `${path}.new`;
  await rm(next, { force: true });
  await writeFile(next, contents, { flag: 'wx' });
  await chmod(next, 0o644);
  await rename(next, path);
}

/** Backups, their checks and restores take turns, because each removes what killed runs have left. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return withLock(
    join(local, 'backup.lock'),
    () => say('backup', 'another backup is at work; waiting for it'),
    work,
  );
}

/** Installs age, and creates the key at the first call. Returns the public key. */
export async function ensureKey(note: Note): Promise<string> {
  await requireAge(note);
  const known = await capture(['age-keygen', '-y', IDENTITY]);
  if (known.code === 0) return known.output.trim();
  const made = await capture(['age-keygen', '-o', IDENTITY]);
  if (made.code !== 0) throw new Failure(`age-keygen failed: ${made.output}`, `Look at ${IDENTITY}.`);
  note(`created the key ${IDENTITY}; keep a copy of it elsewhere`);
  return (await capture(['age-keygen', '-y', IDENTITY])).output.trim();
}

export async function requireAge(note: Note): Promise<void> {
  if (await which('age')) return;
  await installDebianPackages(['age'], 'age (it encrypts backups)', note);
}
