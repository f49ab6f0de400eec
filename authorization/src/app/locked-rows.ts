/** Remembers rows that another session has locked for long, until they are free, so that no batch waits for them. */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { findLockedRows, type RowName } from '../store/row-locks.ts';

export interface LockedRows {
  has(row: RowName): boolean;
  add(rows: Iterable<RowName>): void;
  stop(): Promise<void>;
}

/** Milliseconds between two queries for free rows. Without remembered rows there are no queries. */
const CHECK_EVERY_MS = 50;

export function createLockedRows({ db, log }: { db: Kysely<Database>; log: Logger }): LockedRows {
  const locked = new Set<RowName>();
  let watch: Repetition | undefined;

  async function checkRows(): Promise<boolean> {
    const rows = [...locked];
    const still = await findLockedRows(db, rows);
    const free = rows.filter((row) => !still.has(row));
    if (free.length > 0) log.info({ rows: free }, 'rows are no longer locked');
    for (const row of free) locked.delete(row);
    if (locked.size === 0) {
      void watch?.stop();
      watch = undefined;
    }
    return false;
  }

  return {
    has: (row) => locked.has(row),
    add(rows) {
      const fresh = [...rows].filter((row) => !locked.has(row));
      if (fresh.length === 0) return;
      log.warn({ rows: fresh }, 'another session has rows locked; their steps are refused as busy');
      for (const row of fresh) locked.add(row);
      watch ??= repeat('looking for locked rows', CHECK_EVERY_MS, checkRows, log);
    },
    async stop() {
      await watch?.stop();
    },
  };
}
