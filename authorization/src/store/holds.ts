/** Reads holds. */
import { type Kysely, sql } from 'kysely';
import type { Hold } from '../domain/hold.ts';
import type { Database } from './database.ts';

/** Returns the holds of these payments, by payment id. Payments without a hold are left out. */
export async function findHolds(
  db: Kysely<Database>,
  paymentIds: readonly string[],
): Promise<Map<string, Hold>> {
  const rows = await db
    .selectFrom('holds')
    .where('payment_id', '=', sql<string>`any(${paymentIds}::text[])`)
    .select(['payment_id', 'from_account', 'to_account', 'amount', 'captured', 'remaining', 'state'])
    .select(['expires_at', 'used_day', 'used_month', 'mandate_id'])
    .execute();
  return new Map(
    rows.map((row) => [
      row.payment_id,
      {
        paymentId: row.payment_id,
        fromAccount: row.from_account,
        toAccount: row.to_account,
        amount: row.amount,
        captured: row.captured,
        remaining: row.remaining,
        state: row.state,
        expiresAt: row.expires_at,
        usedIn:
          row.used_day === null || row.used_month === null
            ? undefined
            : { day: row.used_day, month: row.used_month },
        mandateId: row.mandate_id ?? undefined,
      },
    ]),
  );
}
