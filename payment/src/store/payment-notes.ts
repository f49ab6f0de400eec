/** The notes that the sides of payments have changed. Most payments have none. */
import type { Kysely, Transaction } from 'kysely';
import type { Notes } from '../domain/operation.ts';
import type { ChangedNotes, Side } from '../domain/payment-notes.ts';
import type { Database } from './database.ts';

/** Returns the changed notes by payment. */
export async function readNotes(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ChangedNotes>> {
  const found = new Map<string, ChangedNotes>();
  if (ids.length === 0) return found;
  const rows = await db
    .selectFrom('payment_notes')
    .select(['id', 'side', 'reference', 'metadata'])
    .where('id', 'in', ids)
    .execute();
  for (const { id, side, reference, metadata } of rows)
    found.set(id, { ...found.get(id), [side]: { reference, metadata } });
  return found;
}

export interface NotesRow {
  id: string;
  createdAt: Date;
  side: Side;
  ownerId: string;
}

/** Inserts the row with `first` if there is none, locks it until the end of the transaction, and returns its notes. */
export async function lockNotes(
  transaction: Transaction<Database>,
  { id, createdAt, side, ownerId }: NotesRow,
  first: Notes,
  now: Date,
): Promise<Notes> {
  await transaction
    .insertInto('payment_notes')
    .values({
      ...{ id, side, created_at: createdAt, owner_id: ownerId, updated_at: now },
      reference: first.reference,
      metadata: JSON.stringify(first.metadata),
    })
    .onConflict((conflict) => conflict.columns(['id', 'side']).doNothing())
    .execute();
  return transaction
    .selectFrom('payment_notes')
    .select(['reference', 'metadata'])
    .where('id', '=', id)
    .where('side', '=', side)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

export async function storeNotes(
  transaction: Transaction<Database>,
  { id, side }: NotesRow,
  { reference, metadata }: Notes,
  now: Date,
): Promise<void> {
  await transaction
    .updateTable('payment_notes')
    .set({ reference, metadata: JSON.stringify(metadata), updated_at: now })
    .where('id', '=', id)
    .where('side', '=', side)
    .execute();
}
