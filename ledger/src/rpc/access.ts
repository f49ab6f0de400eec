/**
 * Access rules of LedgerService. Customers read only their own accounts: app/account-access.ts checks this with authorization, in
 * the caller's name. So an API client also needs accounts:read, which auth ensures.
 */
import type { AccessTable } from '@payflowx/chassis';
import type { LedgerServiceService } from '@payflowx/proto/ledger';

export const access: AccessTable<typeof LedgerServiceService> = {
  listEntries: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getTransaction: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getAccountBalance: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getStatement: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  // A head reveals nothing about payments, and every caller may keep one as evidence.
  getSealedHead: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getReceipt: { roles: ['customer', 'operator', 'auditor'], scope: 'ledger:read' },
  getProof: { roles: ['operator', 'auditor'], scope: 'ledger:read' },
  getLastProof: { roles: ['operator', 'auditor'], scope: 'ledger:read' },
};
