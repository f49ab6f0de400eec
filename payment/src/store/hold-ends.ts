/** Moves the ends of holds for the test clock. */
import { unnest } from '@payflowx/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import type { HoldEnd } from '../domain/payment.ts';
import type { Database } from './database.ts';
import { lockPayments } from './payments.ts';

/**
 * A later end is ignored: it is that of an earlier request, whose response came later. Returns the number of these payments whose outcome
 * is not stored yet. Their holds are not moved.
 */
export async function moveHoldEnds(trx: Transaction<Database>, holds: readonly HoldEnd[]): Promise<number> {
  if (holds.length === 0) return 0;
  const payments = await lockPayments(
    trx,
    holds.map(({ paymentId }) => paymentId),
  );
  const rows = unnest(holds, { paymentId: 'text', expiresAt: 'timestamptz' });
  await sql`
    update payments as p set hold_expires_at = r."expiresAt", next_expiry_at = null
    from ${rows} as r
    where p.id = r."paymentId" and p.state in ('AUTHORIZED', 'PARTIALLY_CAPTURED')
      and p.hold_expires_at > r."expiresAt"`.execute(trx);
  return [...payments.values()].filter(({ state }) => state === 'INITIATED').length;
}
