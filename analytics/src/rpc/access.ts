/**
 * Access rules of AnalyticsService. Customers read only their own accounts: app/get-account-totals.ts checks this with
 * authorization, in the caller's name. So an API client also needs accounts:read, which auth ensures.
 */
import type { AccessTable } from '@payflowx/chassis';
import type { AnalyticsServiceService } from '@payflowx/proto/analytics';

export const access: AccessTable<typeof AnalyticsServiceService> = {
  getSummary: { roles: ['operator', 'auditor'], scope: 'analytics:read' },
  listDailyTotals: { roles: ['operator', 'auditor'], scope: 'analytics:read' },
  // For reconciliation.
  listAccountFigures: { services: ['ledger'] },
  getAccountTotals: { roles: ['customer', 'operator', 'auditor'], scope: 'analytics:read' },
};
