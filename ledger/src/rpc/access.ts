/** Who may call what. Customers see their own accounts only; that is decided in app/account-access.ts. */
import type { AccessTable } from '@payflowx/chassis';
import type { LedgerServiceService } from '@payflowx/proto/ledger';

export const access: AccessTable<typeof LedgerServiceService> = {
  listEntries: ['customer', 'operator', 'auditor'],
  getTransaction: ['customer', 'operator', 'auditor'],
  getAccountBalance: ['customer', 'operator', 'auditor'],
  getProof: ['operator', 'auditor'],
};
