/**
 * Verifies the receipt of a payment offline: `node src/verify-receipt.ts receipt.json head.json`. The receipt is the response of
 * GET /v1/ledger/payments/{id}/receipt. The head is the response of GET /v1/ledger/head, or its root_hash or head_hash in hex,
 * from a source that the verifier trusts.
 *
 * Needs Node 24 and this folder's src/domain, no packages and no network. Exits with 0 if the receipt is right, with 1 if it is
 * not.
 */
import { readFileSync } from 'node:fs';
import { balanceChanges } from './domain/balances.ts';
import { layerOf } from './domain/journal.ts';
import { ReceiptRefused, type VerifiedReceipt, verifyReceipt } from './domain/verify-receipt.ts';

const [receiptFile, head] = process.argv.slice(2);
if (receiptFile === undefined || head === undefined) {
  console.error(
    'usage: node src/verify-receipt.ts <receipt.json> <head.json, or a root_hash or head_hash in hex>',
  );
  process.exit(1);
}

try {
  const receipt = verifyReceipt(readJson(receiptFile), isHash(head) ? head : readJson(head));
  console.log(describe(receipt));
} catch (error) {
  if (!(error instanceof ReceiptRefused)) throw error;
  console.log(`REFUSED: ${error.message}`);
  process.exitCode = 1;
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** A file may hold only the hex of a hash, without JSON. */
function readJson(file: string): unknown {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return isHash(text) ? text : JSON.parse(text);
  } catch (error) {
    throw new ReceiptRefused(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Amounts are in minor units, as they were sealed. */
function describe({ paymentId, size, rootHash, transactions }: VerifiedReceipt): string {
  const lines = transactions.flatMap(({ transaction, position }) => [
    `${transaction.createdAt.toISOString()}  ${transaction.eventType}  ${transaction.id}, position ${position}`,
    ...transaction.postings.map(
      ({ kind, amountMinor, currency, debitAccount, creditAccount }) =>
        `  ${kind} of ${amountMinor} ${currency} minor units: ${debitAccount} -> ${creditAccount} (${layerOf(kind)})`,
    ),
  ]);
  const sums = balanceChanges(transactions.map(({ transaction }) => transaction)).map(
    ({ accountId, currency, postedMinor, pendingMinor }) =>
      `  ${accountId}: posted ${signed(postedMinor)}, pending ${signed(pendingMinor)} ${currency} minor units`,
  );
  return [
    `Payment ${paymentId}`,
    ...lines,
    'In all:',
    ...sums,
    `VERIFIED: the journal of ${size} transactions under the root ${rootHash} holds these, as they are above.`,
  ].join('\n');
}

function signed(amount: bigint): string {
  return amount > 0n ? `+${amount}` : `${amount}`;
}
