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
            'Whether the rest is given back to the payer; true where `amount` is absent, else false.',
          examples: [true],
        }),
      ),
    },
    { additionalProperties: false, description: 'Without `amount`: all that is still held.' },
  ),
);

export const captureSchemas = [NewCapture];

interface Options {
  payment: Neighbours['payment'];
}

export const captureRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { payment }) => {
  app.post('/v1/payments/:id/capture', {
    config: { access: ['customer', 'operator'], optionalBody: true },
    schema: {
      tags: ['payments'],
      operationId: 'capturePayment',
      summary: 'Take money of an authorized payment, whole or in parts',
      description:
        'Open to the owner of `from_account` and to operators. A part without `final` leaves the rest on hold for further captures.',
      params: pathId(ref(PaymentId)),
      headers: requiredKey,
      body: ref(NewCapture),
      response: {
        200: ref(Payment),
        202: ref(Payment),
        403: problem(['ACTION_NOT_ALLOWED']),
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
    config: { access: ['customer', 'operator'], optionalBody: true },
    schema: {
      tags: ['payments'],
      operationId: 'cancelPayment',
      summary: 'Give the held money of an authorized payment back',
      description:
        'Open to the owner of `from_account` and to operators, before any capture. What the payment used of the payer’s limits is given back too.',
      params: pathId(ref(PaymentId)),
      headers: requiredKey,
      body: ref(NoFields),
      response: {
        200: ref(Payment),
        202: ref(Payment),
        403: problem(['ACTION_NOT_ALLOWED']),
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
