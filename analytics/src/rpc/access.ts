/**
 * Who may call what. Customers see their own accounts only; that is decided in app/get-account-totals.ts, which asks authorization
 * in the caller's name: an API client needs accounts:read besides, as auth sees to.
 */
import type { AccessTable } from '@payflowx/chassis';
import type { AnalyticsServiceService } from '@payflowx/proto/analytics';

export const access: AccessTable<typeof AnalyticsServiceService> = {
  getSummary: { roles: ['operator', 'auditor'], scope: 'analytics:read' },
  listDailyTotals: { roles: ['operator', 'auditor'], scope: 'analytics:read' },
  // What a reconciliation reads.
  listAccountFigures: ['service'],
  getAccountTotals: { roles: ['customer', 'operator', 'auditor'], scope: 'analytics:read' },
};
