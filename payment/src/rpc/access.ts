/**
 * Who may call which RPC; an API client only those with a scope, if it was given that one. Whose account or payment it may be
 * is decided behind it: by authorization, and by domain/access.ts.
 */
import type { AccessTable } from '@payflowx/chassis';
import type { PaymentServiceService } from '@payflowx/proto/payment';

export const ACCESS = {
  createPayment: { roles: ['customer', 'operator'], scope: 'payments:write' },
  // Each item is done in the name of its own access token, to which the line above applies.
  batchCreatePayments: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'payments:write' },
  createDeposit: ['operator'],
  createWithdrawal: ['operator'],
  capturePayment: { roles: ['customer', 'operator'], scope: 'payments:write' },
  cancelPayment: { roles: ['customer', 'operator'], scope: 'payments:write' },
  createRefund: { roles: ['customer', 'operator'], scope: 'payments:write' },
  listRefunds: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'payments:read' },
  listPaymentSteps: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'payments:read' },
  simulatePayment: { roles: ['customer', 'operator'], scope: 'payments:read' },
  getPayment: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'payments:read' },
  getRecoveryStatus: ['operator', 'auditor', 'service'],
  // What a reconciliation reads.
  listAccountFigures: ['service'],
  listPayments: { roles: ['customer', 'operator', 'auditor', 'service'], scope: 'payments:read' },
} as const satisfies AccessTable<PaymentServiceService>;
