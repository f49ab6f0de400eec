/** Chooses the user that runs PostgreSQL: the current user, or `postgres` if that is root, because PostgreSQL refuses root. */
import { chmod, chown, mkdir } from 'node:fs/promises';
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
  const own = (path: string) => chown(path, Number(uid.output), Number(gid.output));
  return {
    command,
    own,
    async firstWithin(folders) {
      for (const folder of folders) {
        const made = await mkdir(folder, { recursive: true });
        // A umask of 077 would keep the user out of both.
        if (made) await chmod(made, 0o711);
        await own(folder);
        const { code } = await capture([...command, 'test', '-x', folder]);
        if (code === 0) return folder;
      }
      throw new Error(`The user postgres cannot enter any of ${folders.join(', ')}.`);
    },
  };
}
