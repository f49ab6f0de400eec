/** The body of a request to create or simulate a payment. */
import type { CreatePaymentRequest } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { AccountId, MandateId } from './ids.ts';
import { Amount, Currency } from './money.ts';
import { named, ref } from './named.ts';
import { Metadata } from './notes.ts';
import { CAPTURE_BY, CAPTURES } from './payment.ts';
import { text } from './text.ts';

const EXAMPLE = {
  from_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3e',
  to_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3f',
  amount: 1250,
  currency: 'EUR',
  capture: 'manual',
  hold_seconds: 86_400,
  description: 'Two books',
  reference: 'order-4711',
  metadata: { order: '4711' },
};

/** 30 days. */
const MAX_HOLD_S = 2_592_000;

export const NewPayment = named(
  'NewPayment',
  Type.Object(
    {
      from_account: ref(AccountId),
      to_account: ref(AccountId),
      amount: ref(Amount),
      currency: ref(Currency),
      capture: Type.Optional(
        Type.Unsafe<Static<typeof CAPTURES.schema>>({ ...CAPTURES.schema, default: 'automatic' }),
      ),
      capture_by: Type.Optional(
        Type.Unsafe<Static<typeof CAPTURE_BY.schema>>({
          ...CAPTURE_BY.schema,
          default: 'payer',
          description:
            'The side that may capture and cancel. `payee` only with `capture: manual`; the expiry of the hold then protects the payer.',
        }),
      ),
      hold_seconds: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: MAX_HOLD_S,
          description:
            'Seconds until the hold expires; 7 days unless configured otherwise. Only with `capture: manual`.',
          examples: [86_400],
        }),
      ),
      description: Type.Optional(text(500, 'A text for people to read.', 'Two books')),
      reference: Type.Optional(
        text(
          100,
          'A reference for the systems of the caller’s side. `GET /v1/payments` can filter by it.',
          'order-4711',
        ),
      ),
      metadata: Type.Optional(Metadata),
      mandate_id: Type.Optional(ref(MandateId)),
    },
    {
      additionalProperties: false,
      examples: [EXAMPLE],
      // An automatic capture never holds money.
      if: {
        anyOf: [
          { required: ['hold_seconds'] },
          { properties: { capture_by: { const: 'payee' } }, required: ['capture_by'] },
        ],
      },
      // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword; no code awaits a schema.
      then: { properties: { capture: { const: 'manual' } }, required: ['capture'] },
    },
  ),
);

export function createMessage(body: Static<typeof NewPayment>, key: string): CreatePaymentRequest {
  return {
    requestId: key,
    fromAccount: body.from_account,
    toAccount: body.to_account,
    amountMinor: BigInt(body.amount),
    currency: body.currency,
    captureMode: CAPTURES.numberOf(body.capture ?? 'automatic'),
    description: body.description ?? '',
    reference: body.reference ?? '',
    metadata: body.metadata ?? {},
    holdSeconds: body.hold_seconds ?? 0,
    captureBy: CAPTURE_BY.numberOf(body.capture_by ?? 'payer'),
    mandateId: body.mandate_id ?? '',
  };
}
