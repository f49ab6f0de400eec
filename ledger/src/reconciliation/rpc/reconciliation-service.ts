/** ReconciliationService: decode, act, encode. */
import { type BoundService, bindService, int64Of, requireCaller } from '@payflowx/chassis';
import { type Reconciliation, ReconciliationServiceService } from '@payflowx/proto/ledger';
import { readReport, readReports } from '../app/read-reports.ts';
import { type ReconciliationDeps, runReconciliation } from '../app/run-reconciliation.ts';
import { reconciliationAccess } from './access.ts';
import { reconciliationErrors } from './errors.ts';

export function reconciliationService(deps: ReconciliationDeps): BoundService {
  return bindService(ReconciliationServiceService, {
    access: reconciliationAccess,
    errors: reconciliationErrors,
    // It reads every account of every service, at a pace that leaves capacity for payments.
    longestMs: { runReconciliation: 10 * 60_000 },
    handlers: {
      async runReconciliation(_, call) {
        return { reconciliation: toMessage(await runReconciliation(deps, requireCaller(call).id)) };
      },
      async getReconciliation({ reconciliationId }) {
        return { reconciliation: toMessage(await readReport(deps, reconciliationId)) };
      },
      async listReconciliations(request) {
        const { rows, nextPageToken } = await readReports(deps, request);
        return {
          reconciliations: rows.map((summary) => toMessage({ ...summary, differences: [] })),
          nextPageToken,
        };
      },
    },
  });
}

function toMessage(report: Awaited<ReturnType<typeof readReport>>): Reconciliation {
  const { accountCount, differenceCount, unsettledCount, differences, ...rest } = report;
  return {
    ...rest,
    holds: differenceCount === 0,
    accountCount: BigInt(accountCount),
    differenceCount: BigInt(differenceCount),
    unsettledCount: BigInt(unsettledCount),
    differences: differences.map(({ expected, found, ...others }) => ({
      ...others,
      expected: int64Of(expected),
      found: int64Of(found),
      expectedSum: expected.toString(),
      foundSum: found.toString(),
    })),
  };
}
