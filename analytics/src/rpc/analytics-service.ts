/** AnalyticsService: decode, act, encode. */
import { type BoundService, bindService, int64Of } from '@payflowx/chassis';
import { AnalyticsServiceService, type Totals } from '@payflowx/proto/analytics';
import { isCurrency } from '@payflowx/proto/currency';
import type { Kysely } from 'kysely';
import { getAccountTotals } from '../app/get-account-totals.ts';
import { getSummary } from '../app/get-summary.ts';
import { listAccountFigures } from '../app/list-account-figures.ts';
import { listDailyTotals } from '../app/list-daily-totals.ts';
import type { Accounts } from '../clients/accounts.ts';
import { AnalyticsError } from '../domain/errors.ts';
import { type Counts, successRate } from '../domain/totals.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import { errors } from './errors.ts';

export interface AnalyticsDeps {
  db: Kysely<Database>;
  accounts: Accounts;
  now: () => Date;
}

export function analyticsService(deps: AnalyticsDeps): BoundService {
  return bindService(AnalyticsServiceService, {
    access,
    errors,
    // The same limit as payment's, because a reconciliation waits for both.
    longestMs: { listAccountFigures: 150_000 },
    handlers: {
      async getSummary({ currency }) {
        checkCurrency(currency);
        const { totals, asOf } = await getSummary(deps, currency);
        return { totals: totals.map(toTotals), asOf };
      },
      async listDailyTotals(request) {
        checkCurrency(request.currency);
        const days = await listDailyTotals(deps, request);
        return { days: days.map((day) => ({ day: day.day, totals: toTotals(day) })) };
      },
      async getAccountTotals({ accountId }, call) {
        const totals = await getAccountTotals(deps, call, accountId);
        return { totals: { ...totals, ...sentAndReceived(totals) } };
      },
      async listAccountFigures(request) {
        const { accounts, nextPageToken } = await listAccountFigures(deps, request);
        return {
          accounts: accounts.map((account) => ({ ...account, ...sentAndReceived(account) })),
          nextPageToken,
        };
      },
    },
  });
}

/** Checks the currency of a filter. Empty means any. */
function checkCurrency(currency: string): void {
  if (currency === '' || isCurrency(currency)) return;
  const description = 'must be the ISO 4217 code of a currency in use, or left out';
  throw new AnalyticsError('INVALID_ARGUMENT', `currency ${description}.`, {
    violations: [{ field: 'currency', description }],
  });
}

function toTotals(counts: Counts & { currency: string }): Totals {
  const { capturedMinor, refundedMinor } = counts;
  return {
    ...counts,
    capturedMinor: int64Of(capturedMinor),
    refundedMinor: int64Of(refundedMinor),
    capturedSum: capturedMinor.toString(),
    refundedSum: refundedMinor.toString(),
    successRate: successRate(counts),
  };
}

function sentAndReceived({ sentMinor, receivedMinor }: { sentMinor: bigint; receivedMinor: bigint }) {
  return {
    sentMinor: int64Of(sentMinor),
    receivedMinor: int64Of(receivedMinor),
    sentSum: sentMinor.toString(),
    receivedSum: receivedMinor.toString(),
  };
}
