/** The tables as Kysely sees them. The migrations create them. */
import type { PostingKind } from '../domain/journal.ts';

export interface Database {
  transactions: TransactionRow;
  postings: PostingRow;
  balances: BalanceRow;
  hourly_totals: HourlyTotalRow;
  unsealed: { transaction_id: string };
  seals: SealRow;
  heads: HeadRow;
  last_proof: LastProofRow;
}

export interface LastProofRow {
  singleton: boolean;
  verdict: 'holds' | 'unsettled' | 'broken';
  difference_count: bigint;
  account_count: bigint;
  transaction_count: bigint;
  proved_at: Date;
}

export interface TransactionRow {
  id: string;
  event_type: string;
  payment_id: string;
  created_at: Date;
}

export interface PostingRow {
  transaction_id: string;
  number: number;
  kind: PostingKind;
  debit_account: string;
  credit_account: string;
  amount_minor: bigint;
  currency: string;
}

export interface BalanceRow {
  account_id: string;
  currency: string;
  posted_minor: bigint;
  pending_minor: bigint;
  held_minor: bigint;
}

export interface HourlyTotalRow {
  account_id: string;
  currency: string;
  hour: Date;
  posted_minor: bigint;
  pending_minor: bigint;
}

export interface SealRow {
  position: bigint;
  transaction_id: string;
  leaf_hash: Buffer;
  subtree_hashes: Buffer;
}

export interface HeadRow {
  size: bigint;
  root_hash: Buffer;
  head_hash: Buffer;
  previous_head_hash: Buffer;
  sealed_at: Date;
}
