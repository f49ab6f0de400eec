/**
 * Publishes outbox rows. If the broker refuses some of their events for ever, all others are still published. Otherwise one event
 * would block every later one.
 */
import { ok } from '../batching/batcher.ts';
import { splitOnFailure } from '../batching/split-on-failure.ts';
import { type Parcel, splitParcel } from '../messaging/parcel.ts';
import { RefusedError } from '../messaging/refused.ts';

/** The id stays text, because it is only sent back to the database. */
export type Row = { id: string; event_count: number; events: Buffer };

/** An event that the broker refuses, or a row that cannot be decoded. Then it has no key. */
export interface Refused {
  rowId: string;
  key: string | undefined;
  events: Uint8Array;
  error: unknown;
}

type Publish = (parcels: Parcel[]) => Promise<void>;
type Part = { rowId: string; key: string | undefined; parcel: Parcel };

/**
 * Resolves when the broker has stored all events that it accepts. Returns the others. Rejects with any other error than a
 * refusal; then some events may be stored.
 */
export async function publishRows(rows: readonly Row[], publish: Publish): Promise<Refused[]> {
  try {
    await publish(rows.map(toParcel));
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  const parts = rows.flatMap(partsOf);
  const publishParts = async (some: readonly Part[]) => {
    await publish(some.map(({ parcel }) => parcel));
    return some.map(() => ok(undefined));
  };
  const results = await splitOnFailure(parts, publishParts, isRefusal);
  return parts.flatMap(({ rowId, key, parcel }, index) => {
    const result = results[index];
    return !result || result.ok ? [] : [{ rowId, key, events: parcel.bytes, error: result.error }];
  });
}

const isRefusal = (error: unknown) => error instanceof RefusedError;

export function toParcel({ event_count, events }: Row): Parcel {
  return { eventCount: event_count, bytes: events };
}

/** A row has up to hundreds of events of different payments. Only the refused ones are kept back. */
function partsOf(row: Row): Part[] {
  try {
    return splitParcel({ bytes: row.events }).map((part) => ({ rowId: row.id, ...part }));
  } catch {
    return [{ rowId: row.id, key: undefined, parcel: toParcel(row) }];
  }
}
