/** The tables as Kysely sees them; migrations/ is where they are made. */
import type { PostingKind } from '../domain/journal.ts';

export interface Database {
  transactions: TransactionRow;
  postings: PostingRow;
  balances: BalanceRow;
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
