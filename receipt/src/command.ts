#!/usr/bin/env node
/**
 * Verifies the receipt of a payment offline: `node receipt/src/command.ts receipt.json head.json`. The receipt is the response
 * of GET /v1/ledger/payments/{id}/receipt. The head is the response of GET /v1/ledger/head, or its head_hash in hex, from a
 * source that the verifier trusts.
 *
 * Needs Node 24 and this folder, no packages and no network. Exits with 0 if the receipt is right, with 1 if it is not.
 */
import { readFileSync } from 'node:fs';
import type { SealedPosting } from './canonical-bytes.ts';
import type { TrustedHead } from './head.ts';
import { ReceiptRefused } from './refusal.ts';
import { type VerifiedReceipt, type VerifiedTransaction, verifyReceipt } from './verify-receipt.ts';

const [receiptFile, head] = process.argv.slice(2);
if (receiptFile === undefined || head === undefined) {
  console.error('usage: payflowx-verify-receipt <receipt.json> <head.json, or a head_hash in hex>');
  process.exit(1);
}

try {
  const trusted = isHash(head) ? head : readJson(head);
  console.log(describe(verifyReceipt(readJson(receiptFile), trusted as TrustedHead)));
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
  return [
    `Payment ${quoted(paymentId)}`,
    ...transactions.flatMap(describeTransaction),
    'In all:',
    ...describeSums(transactions.flatMap(({ postings }) => postings)),
    `VERIFIED: the journal of ${size} transactions under the root ${rootHash} holds these, as they are above.`,
  ].join('\n');
}

function describeTransaction({ createdAt, eventType, id, position, postings }: VerifiedTransaction) {
  return [
    `${createdAt.toISOString()}  ${quoted(eventType)}  ${quoted(id)}, position ${position}`,
    ...postings.map(
      ({ kind, amount, currency, debitAccount, creditAccount }) =>
        `  ${kind} of ${amount} ${quoted(currency)} minor units: ${quoted(debitAccount)} -> ${quoted(creditAccount)} (${layerOf(kind)})`,
    ),
  ];
}

/** Credits minus debits of each account, by layer. */
function describeSums(postings: readonly SealedPosting[]): string[] {
  const sums = new Map<string, { posted: bigint; pending: bigint; currency: string; account: string }>();
  const add = (account: string, currency: string, layer: 'posted' | 'pending', amount: bigint) => {
    const key = JSON.stringify([account, currency]);
    const sum = sums.get(key) ?? { account, currency, posted: 0n, pending: 0n };
    sum[layer] += amount;
    sums.set(key, sum);
  };
  for (const { kind, debitAccount, creditAccount, amount, currency } of postings) {
    add(debitAccount, currency, layerOf(kind), -BigInt(amount));
    add(creditAccount, currency, layerOf(kind), BigInt(amount));
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([, { account, currency, posted, pending }]) =>
        `  ${quoted(account)}: posted ${signed(posted)}, pending ${signed(pending)} ${quoted(currency)} minor units`,
    );
}

function layerOf(kind: SealedPosting['kind']): 'posted' | 'pending' {
  return kind === 'transfer' ? 'posted' : 'pending';
}

function signed(amount: bigint): string {
  return amount > 0n ? `+${amount}` : `${amount}`;
}

/** Sealed texts cannot write lines of their own, such as a second VERIFIED. */
function quoted(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
}
