/** The journal as clients see it: transactions and their entries. */
import {
  Direction,
  type Entry as EntryMessage,
  type JournalTransaction,
  Layer,
  type SealedHead as SealedHeadMessage,
} from '@payflowx/proto/ledger';
import { type Static, Type } from 'typebox';
import { AnyAccountId, PaymentId, TransactionId } from './ids.ts';
import { Currency, count, minorUnits } from './money.ts';
import { named, ref } from './named.ts';
import { time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const LAYERS = wireNames(
  'The layer of the journal: `pending` for held money, `posted` for money that has moved.',
  {
    [Layer.PENDING]: 'pending',
    [Layer.POSTED]: 'posted',
  },
);

export const DIRECTIONS = wireNames('A debit takes money out of the account, a credit brings money in.', {
  [Direction.DEBIT]: 'debit',
  [Direction.CREDIT]: 'credit',
});

export const Entry = named(
  'Entry',
  Type.Object({
    id: Type.String({ examples: ['txn_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d/0/debit'] }),
    transaction_id: ref(TransactionId),
    account_id: ref(AnyAccountId),
    direction: DIRECTIONS.schema,
    amount: minorUnits('Greater than 0.'),
    currency: ref(Currency),
    layer: LAYERS.schema,
    payment_id: ref(PaymentId),
    created_at: time('The time of the event that caused the entry.'),
  }),
);
export const Transaction = named(
  'Transaction',
  Type.Object({
    id: ref(TransactionId),
    event_id: Type.String({ examples: ['evt_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'] }),
    event_type: Type.String({ examples: ['payment.completed'] }),
    payment_id: ref(PaymentId),
    created_at: time('The time of the event.'),
    entries: Type.Array(ref(Entry), { description: 'Both sides of every posting.' }),
  }),
);

/** A SHA-256 hash. */
export const hash = (description: string) =>
  Type.String({ pattern: '^[0-9a-f]{64}$', description, examples: ['ab'.repeat(32)] });

export const SealedHead = named(
  'SealedHead',
  Type.Object(
    {
      size: count('Number of transactions that the head commits to.'),
      root_hash: hash(
        'Root of the Merkle tree over the leaf hashes of these transactions (RFC 6962, SHA-256).',
      ),
      head_hash: hash(
        'SHA-256 over the previous head hash, the size and the root hash. It chains the heads.',
      ),
      previous_head_hash: Type.String({
        pattern: '^([0-9a-f]{64})?$',
        description: '`head_hash` of the previous head; empty for the first.',
        examples: ['cd'.repeat(32)],
      }),
      sealed_at: time('When the head was sealed.'),
    },
    {
      description:
        'A head commits to every transaction sealed up to it. With a stored head, a client can check later that none of them was changed. Hashes are in lower-case hexadecimal.',
    },
  ),
);

export function entryJson(entry: EntryMessage): Static<typeof Entry> {
  return {
    id: entry.id,
    transaction_id: entry.transactionId,
    account_id: entry.accountId,
    direction: DIRECTIONS.nameOf(entry.direction),
    amount: entry.amountMinor,
    currency: entry.currency,
    layer: LAYERS.nameOf(entry.layer),
    payment_id: entry.paymentId,
    created_at: timeJson(entry.createdAt),
  };
}

export function transactionJson(transaction: JournalTransaction | undefined): Static<typeof Transaction> {
  if (!transaction) throw new Error('The response of the ledger has no transaction.');
  return {
    id: transaction.id,
    event_id: transaction.eventId,
    event_type: transaction.eventType,
    payment_id: transaction.paymentId,
    created_at: timeJson(transaction.createdAt),
    entries: transaction.entries.map(entryJson),
  };
}

export function headJson(head: SealedHeadMessage | undefined): Static<typeof SealedHead> {
  if (!head) throw new Error('The response of the ledger has no head.');
  return {
    size: head.size,
    root_hash: hex(head.rootHash),
    head_hash: hex(head.headHash),
    previous_head_hash: hex(head.previousHeadHash),
    sealed_at: timeJson(head.sealedAt),
  };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
