/** The state and sums of a payment, as its captures and refunds carry them. */
import { Type } from 'typebox';
import { minorUnits } from './money.ts';
import { named } from './named.ts';
import { STATES } from './payment.ts';

export const PaymentTotals = named(
  'PaymentTotals',
  Type.Object(
    {
      state: STATES.schema,
      amount_captured: minorUnits('The captured amount.'),
      amount_refunded: minorUnits('The refunded part of it.'),
    },
    {
      description: 'The payment: after the refund in its response and its event, and now in reads.',
      examples: [{ state: 'PARTIALLY_REFUNDED', amount_captured: 1250, amount_refunded: 250 }],
    },
  ),
);
