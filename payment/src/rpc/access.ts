/** Who may call which RPC. Whose account or payment it may be is decided behind it: by authorization, and by domain/access.ts. */
import type { AccessTable } from '@payflowx/chassis';
import type { PaymentServiceService } from '@payflowx/proto/payment';

export const ACCESS = {
  createPayment: ['customer', 'operator'],
  // Each item is done in the name of its own access token, to which the line above applies.
  batchCreatePayments: ['customer', 'operator', 'auditor', 'service'],
  createDeposit: ['operator'],
  createWithdrawal: ['operator'],
  getPayment: ['customer', 'operator', 'auditor', 'service'],
  listPayments: ['customer', 'operator', 'auditor', 'service'],
} as const satisfies AccessTable<PaymentServiceService>;
