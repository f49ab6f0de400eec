/**
 * Access rules of the RPCs. An API client may call only RPCs with a scope, and only if it has that scope. Access to single accounts and
 * payments is checked later, by authorization and by domain/access.ts.
 */
import type { AccessTable } from '@payflowx/chassis';
import type { PaymentServiceService, SandboxServiceService } from '@payflowx/proto/payment';

export const ACCESS = {
  createPayment: { roles: ['customer', 'operator'], scope: 'payments:write' },
  // The gateway's. Each item is checked against `createPayment` with its own access token.
  batchCreatePayments: { services: ['gateway'] },
  createDeposit: { roles: ['operator'], scope: 'deposits:write' },
  createWithdrawal: { roles: ['operator'], scope: 'withdrawals:write' },
  capturePayment: { roles: ['customer', 'operator'], scope: 'payments:write' },
  cancelPayment: { roles: ['customer', 'operator'], scope: 'payments:write' },
  createRefund: { roles: ['customer', 'operator'], scope: 'payments:write' },
  getCapture: { roles: ['customer', 'operator', 'auditor'], scope: 'payments:read' },
  listCaptures: { roles: ['customer', 'operator', 'auditor'], scope: 'payments:read' },
  getRefund: { roles: ['customer', 'operator', 'auditor'], scope: 'payments:read' },
  listRefunds: { roles: ['customer', 'operator', 'auditor'], scope: 'payments:read' },
  listPaymentSteps: { roles: ['customer', 'operator', 'auditor'], scope: 'payments:read' },
  simulatePayment: { roles: ['customer', 'operator'], scope: 'payments:read' },
  getPayment: { roles: ['customer', 'operator', 'auditor'], scope: 'payments:read' },
  changePaymentNotes: { roles: ['customer', 'operator'], scope: 'payments:write' },
  listPaymentAuditRecords: { roles: ['operator', 'auditor'], scope: 'audit:read' },
  // The ledger's, to know how many events are on their way.
  getRecoveryStatus: { roles: ['operator', 'auditor'], scope: 'payments:read', services: ['ledger'] },
  // For reconciliation.
  listAccountFigures: { services: ['ledger'] },
  listPayments: { roles: ['customer', 'operator', 'auditor'], scope: 'payments:read' },
} as const satisfies AccessTable<PaymentServiceService>;

/** Authorization checks that the account is the caller's. */
export const SANDBOX_ACCESS: AccessTable<SandboxServiceService> = {
  advanceTestClock: { roles: ['customer', 'operator'], scope: 'payments:write' },
};
