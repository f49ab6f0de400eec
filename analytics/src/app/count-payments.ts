/** Adds events to the totals, in one database transaction for a whole batch. */
import { faultPoint, type Logger } from '@payflowx/chassis';
import { firstDeliveries, inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { type PaymentFact, sumUp } from '../domain/totals.ts';
import { addToAccounts } from '../store/account-totals.ts';
import { addToDays } from '../store/daily-totals.ts';
import type { Database } from '../store/database.ts';
import { readHorizon } from '../store/inbox-horizon.ts';

export interface CountDeps {
  db: Kysely<Database>;
  log: Logger;
}

/** Counts each event once, for any number and order of deliveries. Events before the horizon of the inbox are skipped and logged. */
export async function countPayments({ db, log }: CountDeps, facts: readonly PaymentFact[]): Promise<void> {
  if (facts.length === 0) return;
  await inTransaction(db, async (trx) => {
    const horizon = await readHorizon(trx);
    const recent = facts.filter(({ eventId }) => eventId >= horizon);
    if (recent.length < facts.length) {
      const count = facts.length - recent.length;
      log.warn({ count, horizon }, 'old events are skipped; if they were never counted, run src/rebuild.ts');
    }
    const fresh = await firstDeliveries(trx, recent, ({ eventId }) => eventId);
    if (fresh.length === 0) return;
    const { days, accounts } = sumUp(fresh);
    // Accounts first: every batch needs the row of the day, so it is locked last and for the shortest time.
    if (accounts.length > 0) await addToAccounts(trx, accounts);
    await addToDays(trx, days);
    faultPoint('analytics.before-commit');
  });
  faultPoint('analytics.after-commit');
}
