/** Captures held money, in whole or in parts, or cancels the payment and releases it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import { answerStep } from '../answers/payment-answer.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { PaymentId, pathId } from '../schemas/ids.ts';
import { Amount } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { Payment } from '../schemas/payment.ts';

const NewCapture = named(
  'NewCapture',
  Type.Object(
    {
      amount: Type.Optional(ref(Amount)),
      final: Type.Optional(
        Type.Boolean({
          description:
            'If true, the rest is released to the payer. The default is true without `amount`, else false.',
          examples: [true],
        }),
      ),
    },
    { additionalProperties: false, description: 'Without `amount`, all held money is captured.' },
  ),
);

export const captureSchemas = [NewCapture];

interface Options {
  payment: Neighbours['payment'];
}

export const captureRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { payment }) => {
  app.post('/v1/payments/:id/capture', {
    config: { access: ['customer', 'operator'], scope: 'payments:write', optionalBody: true },
    schema: {
      tags: ['payments'],
      operationId: 'capturePayment',
      summary: 'Capture the held money of a payment, in whole or in parts',
      description:
        'For the owner of `from_account` and for operators. A partial capture without `final` keeps the rest on hold for further captures.',
      params: pathId(ref(PaymentId)),
      headers: requiredKey,
      body: ref(NewCapture),
      response: {
        200: ref(Payment),
        202: ref(Payment),
        403: problem(['ACTION_NOT_ALLOWED', 'OWN_ACCOUNT']),
        404: problem(['PAYMENT_NOT_FOUND']),
        409: problem(['INVALID_STATE', 'TO_ACCOUNT_NOT_ACTIVE', 'IDEMPOTENCY_IN_PROGRESS']),
        422: problem(['CAPTURE_EXCEEDS_AUTHORIZED', 'IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const { amount, final } = request.body;
      const message = {
        requestId: request.headers['idempotency-key'],
        paymentId: request.params.id,
        amountMinor: amount === undefined ? undefined : BigInt(amount),
        final,
      };
      return answerStep(await payment.capturePayment(message, asCaller(request)), reply);
    },
  });

  app.post('/v1/payments/:id/cancel', {
    config: { access: ['customer', 'operator'], scope: 'payments:write', optionalBody: true },
    schema: {
      tags: ['payments'],
      operationId: 'cancelPayment',
      summary: 'Cancel an authorized payment and release its held money',
      description:
        'For the owner of `from_account` and for operators, before any capture. The payer’s limits get back what the payment used.',
      params: pathId(ref(PaymentId)),
      headers: requiredKey,
      body: ref(NoFields),
      response: {
        200: ref(Payment),
        202: ref(Payment),
        403: problem(['ACTION_NOT_ALLOWED', 'OWN_ACCOUNT']),
        404: problem(['PAYMENT_NOT_FOUND']),
        409: problem(['INVALID_STATE', 'IDEMPOTENCY_IN_PROGRESS']),
        422: problem(['IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const message = { requestId: request.headers['idempotency-key'], paymentId: request.params.id };
      return answerStep(await payment.cancelPayment(message, asCaller(request)), reply);
    },
  });
};
