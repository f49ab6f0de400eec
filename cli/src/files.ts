/** The files of the command: one for each context, and the name of the current one. Only their owner can read them. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from './exit.ts';

/** A platform and the login to it. */
export interface Context {
  gateway: string;
  username?: string;
  session?: Session;
}

export interface Session {
  accessToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
  refreshToken: string;
}

/** `$PAYFLOWX_HOME`, or the XDG folder: https://specifications.freedesktop.org/basedir-spec/latest/ */
export function home(): string {
  const { PAYFLOWX_HOME, XDG_CONFIG_HOME } = process.env;
  return PAYFLOWX_HOME || join(XDG_CONFIG_HOME || join(homedir(), '.config'), 'payflowx');
}

const contextFile = (name: string) => join(home(), 'contexts', `${name}.json`);
const currentFile = () => join(home(), 'current');

export function contextNames(): string[] {
  try {
    const files = readdirSync(join(home(), 'contexts')).filter((file) => file.endsWith('.json'));
    return files.map((file) => file.slice(0, -'.json'.length)).sort();
  } catch {
    return [];
  }
}

/** Empty if there is none. */
export function currentName(): string {
  return readText(currentFile())?.trim() ?? '';
}

export function readContext(name: string): Context | undefined {
  const text = readText(contextFile(checked(name)));
  return text === undefined ? undefined : JSON.parse(text);
}

export function writeContext(name: string, context: Context): void {
  writePrivate(contextFile(checked(name)), `${JSON.stringify(context, null, 2)}\n`);
}

export function removeContext(name: string): void {
  rmSync(contextFile(checked(name)), { force: true });
  if (currentName() === name) rmSync(currentFile(), { force: true });
}

export function useContext(name: string): void {
  if (readContext(name) === undefined) throw new UsageError(`There is no context "${name}".`);
  writePrivate(currentFile(), `${name}\n`);
}

function checked(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw new UsageError(`"${name}" is no name of a context: letters, digits, dot, dash and underscore.`);
}

/** Undefined if the file does not exist. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Replaces the file at once, so that another command reads the old or the new one. It never has other rights than its owner's. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}

/** A command that holds a lock for longer was killed. The longest work in a lock retries for 30 s. */
const LOCK_STALE_MS = 60_000;
const LOCK_POLL_MS = 50;

/** Runs `work` while no other command works on the context. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const file = `${contextFile(checked(name))}.lock`;
  while (!tryLock(file)) await pause(LOCK_POLL_MS);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function tryLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const lockedAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - lockedAt > LOCK_STALE_MS) rmSync(file, { force: true });
    return false;
  }
}
