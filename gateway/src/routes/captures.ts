/** Captures held money, in whole or in parts, or cancels the payment and releases it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CaptureState } from '@payflowx/proto/payment';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import { answerCapture, answerStep } from '../answers/payment-answer.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { CAPTURE_STATES, Capture, captureJson } from '../schemas/capture.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { CaptureId, PaymentId, pathId } from '../schemas/ids.ts';
import { Amount } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { notesInput, notesRequest } from '../schemas/notes.ts';
import { operationQuery, operationsMessage } from '../schemas/operation-query.ts';
import { pageJson, pageOf } from '../schemas/page.ts';
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
      ...notesInput,
    },
    { additionalProperties: false, description: 'Without `amount`, all held money is captured.' },
  ),
);

const CapturePage = pageOf('CapturePage', Capture);

export const captureSchemas = [Capture, NewCapture, CapturePage];

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
        'For the owner of the account that `capture_by` names, and for operators. A partial capture without `final` keeps the rest on hold for further captures. `Location` names the capture.',
      params: pathId(ref(PaymentId)),
      headers: requiredKey,
      body: ref(NewCapture),
      response: {
        200: ref(Payment),
        202: ref(Payment),
        403: problem(['ACTION_NOT_ALLOWED', 'OWN_ACCOUNT']),
        404: problem(['PAYMENT_NOT_FOUND']),
        409: problem([
          'INVALID_STATE',
          'TO_ACCOUNT_NOT_ACTIVE',
          'TO_ACCOUNT_CLOSED',
          'IDEMPOTENCY_IN_PROGRESS',
        ]),
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
        ...notesRequest(request.body),
      };
      return answerCapture(await payment.capturePayment(message, asCaller(request)), reply);
    },
  });

  app.post('/v1/payments/:id/cancel', {
    config: { access: ['customer', 'operator'], scope: 'payments:write', optionalBody: true },
    schema: {
      tags: ['payments'],
      operationId: 'cancelPayment',
      summary: 'Cancel a payment and release the money that it still holds',
      description:
        'For the owner of the account that `capture_by` names, and for operators. A payment that was captured in part is then COMPLETED with that part. The payer’s limits get back what was released.',
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

  app.get('/v1/captures', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'listCaptures',
      summary:
        'List captures, newest first: customers see those of their payments, operators and auditors see all',
      description:
        'The side that does not capture sees completed captures only. A payment with automatic capture has none. If few captures match the filters, a page may have fewer items than `limit`, or none, although there are more pages.',
      querystring: operationQuery(CAPTURE_STATES.schema),
      response: { 200: ref(CapturePage), 404: problem(['PAYMENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { state } = request.query;
      const message = {
        ...operationsMessage(request.query),
        state: state ? CAPTURE_STATES.numberOf(state) : CaptureState.UNSPECIFIED,
      };
      const page = await payment.listCaptures(message, asCaller(request));
      return pageJson(page.captures.map(captureJson), page.nextPageToken);
    },
  });

  app.get('/v1/captures/:id', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'getCapture',
      summary: 'Get a capture',
      params: pathId(ref(CaptureId)),
      response: { 200: ref(Capture), 404: problem(['CAPTURE_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { capture } = await payment.getCapture({ captureId: request.params.id }, asCaller(request));
      if (!capture) throw new Error('The response of the payment service has no capture.');
      return captureJson(capture);
    },
  });
};
