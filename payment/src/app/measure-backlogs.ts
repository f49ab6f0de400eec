/** The work that waits in this service, for the metrics. */
import { gauges } from '@payflowx/chassis';
import { measureOutbox } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { DESTINATIONS } from '../messages/payment-event.ts';
import { readBacklog } from '../store/claim-due.ts';
import type { Database } from '../store/database.ts';
import { countDueHolds } from '../store/payments.ts';

const READ_EVERY_MS = 5_000;

/** Every instance reports the figures of the whole service. */
export function measureBacklogs(db: Kysely<Database>, now: () => Date): void {
  measureOutbox(db, DESTINATIONS);
  gauges(
    {
      'payflowx.recovery.waiting': {
        description: 'Payments and operations without an outcome, also those in progress',
      },
      'payflowx.recovery.stuck': { description: 'Payments and operations that many attempts did not finish' },
      'payflowx.expiry.due': { description: 'Holds that are past their end and not expired yet' },
    },
    async () => {
      const [payments, operations, dueCount] = await Promise.all([
        readBacklog(db, 'payments'),
        readBacklog(db, 'operations'),
        countDueHolds(db, now()),
      ]);
      return [
        { name: 'payflowx.recovery.waiting', value: payments.waiting, labels: { of: 'payments' } },
        { name: 'payflowx.recovery.waiting', value: operations.waiting, labels: { of: 'operations' } },
        { name: 'payflowx.recovery.stuck', value: payments.stuck, labels: { of: 'payments' } },
        { name: 'payflowx.recovery.stuck', value: operations.stuck, labels: { of: 'operations' } },
        { name: 'payflowx.expiry.due', value: dueCount },
      ];
    },
    { everyMs: READ_EVERY_MS },
  );
}
