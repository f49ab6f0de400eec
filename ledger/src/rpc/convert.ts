/** Converts between the messages of the contract and the types of this service. */
import { isCurrency } from '@payflowx/proto/currency';
import * as contract from '@payflowx/proto/ledger';
import type { ProofSummary } from '../app/get-last-proof.ts';
import type { Receipt } from '../app/get-receipt.ts';
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
import type { Verdict } from '../domain/proof.ts';
import type { SealedHead } from '../domain/sealed-head.ts';

const LAYERS: Record<Layer, contract.Layer> = {
  pending: contract.Layer.PENDING,
  posted: contract.Layer.POSTED,
};
const DIRECTIONS: Record<Direction, contract.Direction> = {
  debit: contract.Direction.DEBIT,
  credit: contract.Direction.CREDIT,
};

/** The layer of a filter. Undefined means both. */
export function layerFrom(layer: contract.Layer): Layer | undefined {
  if (layer === contract.Layer.UNSPECIFIED) return undefined;
  if (layer === contract.Layer.PENDING) return 'pending';
  if (layer === contract.Layer.POSTED) return 'posted';
  throw new LedgerError('INVALID_ARGUMENT', 'There is no such layer.', {
    violations: [{ field: 'layer', description: 'must be PENDING, POSTED or left out' }],
  });
}

/** The side of a filter. Undefined means both. */
export function directionFrom(direction: contract.Direction): Direction | undefined {
  if (direction === contract.Direction.UNSPECIFIED) return undefined;
  if (direction === contract.Direction.DEBIT) return 'debit';
  if (direction === contract.Direction.CREDIT) return 'credit';
  throw new LedgerError('INVALID_ARGUMENT', 'There is no such direction.', {
    violations: [{ field: 'direction', description: 'must be DEBIT, CREDIT or left out' }],
  });
}

/** The currency of a filter. Undefined means any. */
export function currencyFrom(currency: string): string | undefined {
  if (currency === '') return undefined;
  if (isCurrency(currency)) return currency;
  throw new LedgerError('INVALID_ARGUMENT', 'There is no such currency.', {
    violations: [
      { field: 'currency', description: 'must be the ISO 4217 code of a currency in use, or left out' },
    ],
  });
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

/** Every posting is two entries. */
export function toProof({
  postingCount,
  head,
  verdict,
  differences,
  ...proof
}: Proof): contract.GetProofResponse {
  return {
    ...proof,
    verdict: VERDICTS[verdict],
    differences: differences.map(({ isSettled: settled, ...difference }) => ({ ...difference, settled })),
    head: head && toHead(head),
    entryCount: 2n * postingCount,
  };
}

const VERDICTS: Record<Verdict, contract.ProofVerdict> = {
  holds: contract.ProofVerdict.HOLDS,
  unsettled: contract.ProofVerdict.UNSETTLED,
  broken: contract.ProofVerdict.BROKEN,
};

export function toProofSummary({ verdict, ...proof }: ProofSummary): contract.ProofSummary {
  return { ...proof, verdict: VERDICTS[verdict] };
}

export function toHead({ size, ...head }: SealedHead): contract.SealedHead {
  return { ...head, size: BigInt(size) };
}

export function toReceipt({ paymentId, head, transactions }: Receipt): contract.GetReceiptResponse {
  return {
    paymentId,
    head: toHead(head),
    transactions: transactions.map(({ transaction, canonical, position, path }) => ({
      transaction: toTransaction(transaction),
      canonical,
      position: BigInt(position),
      path,
    })),
  };
}
