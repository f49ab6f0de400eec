/** The readable form of a transaction in a receipt, derived from its sealed content. */
import type { SealedTransaction } from './canonical-bytes.ts';
import { listAt, objectAt } from './fields.ts';
import { ReceiptRefused } from './refusal.ts';

/**
 * Throws ReceiptRefused if a readable field differs from the sealed content. These fields prove nothing, but they must not
 * mislead a reader.
 */
export function requireSameFields(readable: unknown, transaction: SealedTransaction, where: string): void {
  compare(readable, readableForm(transaction), where);
}

/** Field names of the REST API. */
function readableForm({ id, eventType, paymentId, createdAt, postings }: SealedTransaction) {
  const time = createdAt.toISOString();
  return {
    id,
    event_id: id.replace(/^txn_/, 'evt_'),
    event_type: eventType,
    payment_id: paymentId,
    created_at: time,
    entries: postings.flatMap(({ number, kind, debitAccount, creditAccount, amount, currency }) => {
      const entry = (direction: 'debit' | 'credit', account: string) => ({
        id: `${id}:${number}:${direction}`,
        transaction_id: id,
        account_id: account,
        direction,
        amount,
        currency,
        layer: kind === 'transfer' ? 'posted' : 'pending',
        payment_id: paymentId,
        created_at: time,
      });
      return [entry('debit', debitAccount), entry('credit', creditAccount)];
    }),
  };
}

function compare(readable: unknown, sealed: unknown, where: string): void {
  if (Array.isArray(sealed)) {
    const items = listAt(readable, where);
    if (items.length !== sealed.length) {
      throw new ReceiptRefused(`${where} has ${items.length} items; the sealed bytes have ${sealed.length}.`);
    }
    for (const [index, item] of sealed.entries()) compare(items[index], item, `${where}[${index}]`);
  } else if (typeof sealed === 'object' && sealed !== null) {
    const fields = objectAt(readable, where);
    for (const [name, value] of Object.entries(sealed)) compare(fields[name], value, `${where}.${name}`);
  } else if (readable !== sealed) {
    throw new ReceiptRefused(
      `${where} says ${JSON.stringify(readable)}; the sealed bytes say ${JSON.stringify(sealed)}.`,
    );
  }
}
