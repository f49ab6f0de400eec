/** Chooses the user that runs PostgreSQL: the current user, or `postgres` if that is root, because PostgreSQL refuses root. */
import { chown, mkdir } from 'node:fs/promises';
import type { Note } from '../progress.ts';
import { capture, logged } from '../run.ts';

export interface Owner {
  /** Prefix of a command, so that this user runs it. */
  readonly command: readonly string[];
  own(path: string): Promise<void>;
  /** Returns the first of these folders that this user can enter, and creates it. */
  firstWithin(folders: readonly string[]): Promise<string>;
}

export async function findOwner(note: Note): Promise<Owner> {
  if (process.getuid?.() !== 0) return ordinaryUser;
  const id = await capture(['id', '-u', 'postgres']);
  if (id.code !== 0) {
    note('creating the system user postgres, since PostgreSQL refuses to run as root');
    const command = [
      'useradd',
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/bin/false',
      'postgres',
    ];
    await logged('postgres-user', command, 'Create a user `postgres`, or run this as an ordinary user.');
  }
  return userPostgres();
}

const ordinaryUser: Owner = {
  command: [],
  async own() {},
  async firstWithin([folder = '']) {
    await mkdir(folder, { recursive: true });
    return folder;
  },
};

async function userPostgres(): Promise<Owner> {
  const [uid, gid] = await Promise.all([
    capture(['id', '-u', 'postgres']),
    capture(['id', '-g', 'postgres']),
  ]);
  const command = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'];
  return {
    command,
    own: (path) => chown(path, Number(uid.output), Number(gid.output)),
    async firstWithin(folders) {
      for (const folder of folders) {
        await mkdir(folder, { recursive: true });
        const { code } = await capture([...command, 'test', '-x', folder]);
        if (code === 0) return folder;
      }
      throw new Error(`The user postgres cannot enter any of ${folders.join(', ')}.`);
    },
  };
}
