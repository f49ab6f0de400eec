/** Adds events to the totals, in one database transaction for a whole batch. */
import { faultPoint } from '@payflowx/chassis';
import { firstDeliveries, inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { type PaymentFact, sumUp } from '../domain/totals.ts';
import { addToAccounts } from '../store/account-totals.ts';
import { addToDays } from '../store/daily-totals.ts';
import type { Database } from '../store/database.ts';

/** Counts each event once, for any number and order of deliveries. */
export async function countPayments(
  { db }: { db: Kysely<Database> },
  facts: readonly PaymentFact[],
): Promise<void> {
  if (facts.length === 0) return;
  await inTransaction(db, async (trx) => {
    const fresh = await firstDeliveries(trx, facts, ({ eventId }) => eventId);
    if (fresh.length === 0) return;
    const { days, accounts } = sumUp(fresh);
    // Accounts first: every batch needs the row of the day, so it is locked last and for the shortest time.
    if (accounts.length > 0) await addToAccounts(trx, accounts);
    await addToDays(trx, days);
    faultPoint('analytics.before-commit');
  });
  faultPoint('analytics.after-commit');
}
