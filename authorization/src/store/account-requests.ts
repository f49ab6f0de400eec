/** Which request opened which account. */
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
 * Takes the ids that are free; of equal ones the first. Waits for transactions that are taking them at this moment, in one
 * order of ids, so that two batches do not wait for each other.
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
