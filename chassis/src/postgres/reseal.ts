/** Seals stored secrets again with the first of the sealing keys, so that the others are no longer needed. */
import type { Kysely, Transaction } from 'kysely';
import type { Logger } from '../telemetry/log.ts';
import { inTransaction } from './database.ts';

/** A table with sealed secrets. */
export interface SealedTable<DB, R extends { id: string }> {
  /** Returns the next rows after this id, in the order of their ids. */
  list(db: Kysely<DB>, after: string, limit: number): Promise<R[]>;
  /** Returns the row, sealed with the first key. Undefined if it is already. Throws if no key opens it. */
  reseal(row: R): R | undefined;
  /** Changes a row only if it is still as `before`: another instance may have changed it. */
  replace(trx: Transaction<DB>, row: R, before: R): Promise<void>;
}

export interface ResealResult {
  /** Rows that are sealed with the first key now, and were not before. */
  resealed: number;
  /** Rows that no key opens. */
  unreadable: number;
}

/** Rows that one transaction reads and changes. */
const BATCH = 200;

/** Reads all rows. */
export async function resealTable<DB, R extends { id: string }>(
  db: Kysely<DB>,
  table: SealedTable<DB, R>,
): Promise<ResealResult> {
  const result = { resealed: 0, unreadable: 0 };
  let after = '';
  for (;;) {
    const rows = await table.list(db, after, BATCH);
    const changes = rows.flatMap((before) => {
      try {
        const row = table.reseal(before);
        return row ? [{ row, before }] : [];
      } catch {
        result.unreadable += 1;
        return [];
      }
    });
    if (changes.length > 0) {
      await inTransaction(db, async (trx) => {
        for (const { row, before } of changes) await table.replace(trx, row, before);
      });
      result.resealed += changes.length;
    }
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) return result;
    after = last.id;
  }
}

/** `setting` is the name of the sealing keys. */
export function reportResealing(log: Logger, setting: string, result: ResealResult): void {
  if (result.unreadable > 0) log.error(result, `no key of ${setting} opens some stored secrets`);
  else if (result.resealed > 0) log.info(result, 'stored secrets were sealed again');
  else log.info(`all stored secrets are sealed with the first key of ${setting}`);
}
