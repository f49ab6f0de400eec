/** Paths: the checkout, its private folder, and the cache that all checkouts of a user share. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Data, logs, sockets and secrets of this checkout's platform. Git ignores it. */
export const local = join(root, '.local');

export const logs = join(local, 'logs');

/** Downloads and builds, by version. */
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'payflowx');
