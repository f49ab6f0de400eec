/** Who may call what. Customers see their own accounts only; that is decided in app/get-account-totals.ts. */
import type { AccessTable } from '@payflowx/chassis';
import type { AnalyticsServiceService } from '@payflowx/proto/analytics';

export const access: AccessTable<typeof AnalyticsServiceService> = {
  getSummary: ['operator', 'auditor'],
  listDailyTotals: ['operator', 'auditor'],
  getAccountTotals: ['customer', 'operator', 'auditor'],
};
