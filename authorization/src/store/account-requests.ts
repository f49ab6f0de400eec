/** Reads and writes the request ids of opened accounts. */
import { unnest } from '@payflowx/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

export interface AccountRequest {
  requestId: string;
  fingerprint: string;
  accountId: string;
  createdAt: Date;
}

/**
 * Claims the request ids that are free; of duplicates the first. Waits for transactions that are claiming them. Ids are claimed
 * in one order, so that two batches cannot deadlock.
 */
export async function claimRequests(
  trx: Transaction<Database>,
  callerId: string,
  requests: readonly AccountRequest[],
): Promise<void> {
  const rows = unnest(requests, {
    requestId: 'text',
    fingerprint: 'text',
    accountId: 'text',
    createdAt: 'timestamptz',
  });
  await sql`
    insert into account_requests (caller_id, request_id, fingerprint, account_id, created_at)
    select ${callerId}, "requestId", fingerprint, "accountId", "createdAt"
    from ${rows} as r order by "requestId", ordinality
    on conflict do nothing`.execute(trx);
}

export async function findRequests(
  trx: Transaction<Database>,
  callerId: string,
  requestIds: readonly string[],
): Promise<AccountRequest[]> {
  return trx
    .selectFrom('account_requests')
    .where('caller_id', '=', callerId)
    .where('request_id', '=', sql<string>`any(${requestIds}::text[])`)
    .select(['request_id as requestId', 'fingerprint', 'account_id as accountId', 'created_at as createdAt'])
    .execute();
}
