/** ReconciliationService: decode, act, encode. */
import {
  type BoundService,
  bindService,
  cutPage,
  decodePageToken,
  int64Of,
  pageSizeOf,
  requireCaller,
} from '@payflowx/chassis';
import { type Reconciliation, ReconciliationServiceService } from '@payflowx/proto/ledger';
import { Type } from 'typebox';
import { type ReconciliationDeps, runReconciliation } from '../app/reconciliation-run.ts';
import { ReconciliationError } from '../domain/reconciliation-errors.ts';
import { findReport, listReports, type Report } from '../store/reconciliations.ts';
import { reconciliationAccess } from './reconciliation-access.ts';
import { reconciliationErrors } from './reconciliation-errors.ts';

const Position = Type.Object({ before: Type.String() });

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
        const report = await findReport(deps.db, reconciliationId);
        if (report) return { reconciliation: toMessage(report) };
        throw new ReconciliationError('RECONCILIATION_NOT_FOUND', 'There is no such reconciliation.');
      },
      async listReconciliations({ pageSize, pageToken }) {
        const limit = pageSizeOf(pageSize);
        const before = decodePageToken(pageToken, Position)?.before;
        const found = await listReports(deps.db, before, limit + 1);
        const { rows, nextPageToken } = cutPage(found, limit, ({ id }) => ({ before: id }));
        return {
          reconciliations: rows.map((summary) => toMessage({ ...summary, differences: [] })),
          nextPageToken,
        };
      },
    },
  });
}

function toMessage(report: Report): Reconciliation {
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
