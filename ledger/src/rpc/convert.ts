/** Between the messages of the contract and our own words. */
import * as contract from '@payflowx/proto/ledger';
import type { Proof } from '../app/prove-ledger.ts';
import { LedgerError } from '../domain/errors.ts';
import {
  type Direction,
  type Entry,
  entriesOf,
  entryIdOf,
  eventIdOf,
  type JournalTransaction,
  type Layer,
} from '../domain/journal.ts';

const LAYERS: Record<Layer, contract.Layer> = {
  pending: contract.Layer.PENDING,
  posted: contract.Layer.POSTED,
};
const DIRECTIONS: Record<Direction, contract.Direction> = {
  debit: contract.Direction.DEBIT,
  credit: contract.Direction.CREDIT,
};

/** The layer of a filter; undefined: both. */
export function layerFrom(layer: contract.Layer): Layer | undefined {
  if (layer === contract.Layer.UNSPECIFIED) return undefined;
  if (layer === contract.Layer.PENDING) return 'pending';
  if (layer === contract.Layer.POSTED) return 'posted';
  throw new LedgerError('INVALID_ARGUMENT', 'There is no such layer.', [
    { field: 'layer', description: 'must be PENDING, POSTED or left out' },
  ]);
}

export function toEntry(entry: Entry): contract.Entry {
  return {
    id: entryIdOf(entry),
    transactionId: entry.transactionId,
    accountId: entry.accountId,
    direction: DIRECTIONS[entry.direction],
    amountMinor: entry.amountMinor,
    currency: entry.currency,
    layer: LAYERS[entry.layer],
    paymentId: entry.paymentId,
    createdAt: entry.createdAt,
  };
}

export function toTransaction(transaction: JournalTransaction): contract.JournalTransaction {
  const { id, eventType, paymentId, createdAt } = transaction;
  return {
    id,
    eventId: eventIdOf(id),
    eventType,
    paymentId,
    createdAt,
    entries: entriesOf(transaction).map(toEntry),
  };
}

/** Every posting has two sides. */
export function toProof({ postingCount, ...proof }: Proof): contract.GetProofResponse {
  return { ...proof, entryCount: 2n * postingCount };
}
