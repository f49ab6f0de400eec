/**
 * Who may call what. Customers see their own accounts only; that is decided in app/account-access.ts, which asks authorization
 * in the caller's name: an API client needs accounts:read besides, as auth sees to.
 */
import type { AccessTable } from '@payflowx/chassis';
import type { LedgerServiceService } from '@payflowx/proto/ledger';

export const access: AccessTable<typeof LedgerServiceService> = {
  listEntries: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getTransaction: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getAccountBalance: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getStatement: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  // A head says nothing of anybody's payments, and is of use to whoever keeps it.
  getSealedHead: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getReceipt: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getProof: { roles: ['operator', 'auditor'], scope: 'ledger:read' },
};
