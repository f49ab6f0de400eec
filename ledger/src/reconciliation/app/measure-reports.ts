/** The last reconciliation of any instance, for the metrics. */
import { gauges } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { ReconciliationDatabase } from '../store/database.ts';
import { listReports } from '../store/reports.ts';

const READ_EVERY_MS = 5_000;

/** Before the first reconciliation there are no figures. */
export function measureReports(db: Kysely<ReconciliationDatabase>): void {
  gauges(
    {
      'payflowx.reconciliation.differences': {
        description: 'Accounts and figures that differ between services, in the last reconciliation',
      },
      'payflowx.reconciliation.unsettled': {
        description: 'Accounts that never stood still during the last reconciliation',
      },
      'payflowx.reconciliation.timestamp': {
        description: 'The end of the last reconciliation, in seconds since 1970',
        unit: 's',
      },
    },
    async () => {
      const [last] = await listReports(db, undefined, 1);
      if (last === undefined) return [];
      return [
        { name: 'payflowx.reconciliation.differences', value: last.differenceCount },
        { name: 'payflowx.reconciliation.unsettled', value: last.unsettledCount },
        { name: 'payflowx.reconciliation.timestamp', value: last.finishedAt.getTime() / 1_000 },
      ];
    },
    { everyMs: READ_EVERY_MS },
  );
}
