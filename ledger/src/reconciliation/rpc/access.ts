/** Access rules of ReconciliationService. */
import type { AccessTable } from '@payflowx/chassis';
import type { ReconciliationServiceService } from '@payflowx/proto/ledger';

export const reconciliationAccess: AccessTable<typeof ReconciliationServiceService> = {
  runReconciliation: ['operator'],
  getReconciliation: { roles: ['operator', 'auditor'], scope: 'ledger:read' },
  listReconciliations: { roles: ['operator', 'auditor'], scope: 'ledger:read' },
};
