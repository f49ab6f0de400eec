/** Who pays whom: users and accounts of former runs, kept in a file beside the platform's data. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Checkout, User } from './checkout.ts';

export interface Account {
  id: string;
  /** Index of its owner among the users. */
  owner: number;
}

export interface AccountBook {
  /** In the names of users and in request ids: a platform that was wiped gets new ones. */
  readonly series: string;
  users: User[];
  /** The bulk of them, which pay each other. */
  accounts: Account[];
  /** One that everybody pays, or that pays everybody. */
  hot: Account[];
  /** Those that the probes of lag use; nobody else does. */
  probes: Account[];
  /** Where the others' money comes from. */
  treasury: Account[];
}

/** The sets of accounts in a book. */
export const KINDS = ['accounts', 'hot', 'probes', 'treasury'] as const;
export type Kind = (typeof KINDS)[number];

export function bookPath({ local }: Pick<Checkout, 'local'>): string {
  return join(local, 'bench/accounts.json');
}

export function readBook(path: string): AccountBook {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    const series = randomBytes(4).toString('hex');
    return { series, users: [], accounts: [], hot: [], probes: [], treasury: [] };
  }
}

/** Readable by its owner only: there are passwords in it. */
export function writeBook(path: string, book: AccountBook): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(book), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
