/** What would be decided about a payment now. Writes nothing and waits for nobody. */
import type { Kysely } from 'kysely';
import { authorize } from '../domain/authorize.ts';
import type { Decision, PaymentRequest } from '../domain/decision.ts';
import { findAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';

interface SimulateDeps {
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
}

/** The same arithmetic as for a real payment, over accounts that are read but not locked. */
export async function simulateAuthorization(
  { db, now, holdTtlMs }: SimulateDeps,
  request: PaymentRequest,
): Promise<Decision> {
  const accounts = await db
    .transaction()
    .setAccessMode('read only')
    .execute((trx) => findAccounts(trx, [request.fromAccount, request.toAccount]));
  return authorize(request, { accounts, holds: new Map() }, { now: now(), holdTtlMs }).decision;
}
