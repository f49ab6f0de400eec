/** Which request opened which account. */
import type { Transaction } from 'kysely';
import type { Database } from './database.ts';

interface RequestKey {
  callerId: string;
  requestId: string;
}

interface AccountRequest extends RequestKey {
  fingerprint: string;
  accountId: string;
  createdAt: Date;
}

/** Whether the id was free and is now taken. Waits for a transaction that is taking it at this moment. */
export async function claimRequest(trx: Transaction<Database>, request: AccountRequest): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('account_requests')
    .values({
      caller_id: request.callerId,
      request_id: request.requestId,
      fingerprint: request.fingerprint,
      account_id: request.accountId,
      created_at: request.createdAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function findRequest(
  trx: Transaction<Database>,
  { callerId, requestId }: RequestKey,
): Promise<Pick<AccountRequest, 'fingerprint' | 'accountId' | 'createdAt'>> {
  return trx
    .selectFrom('account_requests')
    .where('caller_id', '=', callerId)
    .where('request_id', '=', requestId)
    .select(['fingerprint', 'account_id as accountId', 'created_at as createdAt'])
    .executeTakeFirstOrThrow();
}
