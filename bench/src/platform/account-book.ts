/** Users and accounts of earlier runs, kept in a file beside the platform's data. */
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
  /** Part of user names and request ids. A platform with new data gets a new one. */
  readonly series: string;
  users: User[];
  /** Most accounts; they pay each other. */
  accounts: Account[];
  /** The hot account: the receiver, or the payer, of every payment. */
  hot: Account[];
  /** Used only by the probes of lag. */
  probes: Account[];
  /** The source of all other balances. */
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

/** Readable by its owner only, because it contains passwords. */
export function writeBook(path: string, book: AccountBook): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(book), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
