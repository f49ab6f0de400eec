/** Refunds of payments: in whole or in parts, up to the captured amount. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { RefundState } from '@payflowx/proto/payment';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import { answerRefund } from '../answers/payment-answer.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { REFUND_DECLINES } from '../problems/problem-codes.ts';
import { problem } from '../schemas/answers.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { PaymentId, pathId, RefundId } from '../schemas/ids.ts';
import { Amount } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { notesInput, notesRequest } from '../schemas/notes.ts';
import { operationQuery, operationsMessage } from '../schemas/operation-query.ts';
import { pageJson, pageOf, pageQuery, query } from '../schemas/page.ts';
import { DeclinedRefundProblem, REFUND_STATES, Refund, refundJson } from '../schemas/refund.ts';
import { text } from '../schemas/text.ts';

const NewRefund = named(
  'NewRefund',
  Type.Object(
    {
      amount: Type.Optional(ref(Amount)),
      reason: Type.Optional(text(500, 'The reason, for people to read.', 'One book was damaged')),
      ...notesInput,
    },
    {
      additionalProperties: false,
      description: 'Without `amount`, all that was captured and not refunded yet is refunded.',
    },
  ),
);

const RefundPage = pageOf('RefundPage', Refund);

export const refundSchemas = [Refund, DeclinedRefundProblem, NewRefund, RefundPage];

interface Options {
  payment: Neighbours['payment'];
}

export const refundRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { payment }) => {
  app.post('/v1/payments/:id/refunds', {
    config: { access: ['customer', 'operator'], scope: 'payments:write', optionalBody: true },
    schema: {
      tags: ['payments'],
      operationId: 'createRefund',
      summary: 'Refund captured money of a payment, in whole or in parts',
      description:
        'For the owner of `to_account` and for operators, also while the rest of the payment is still held. The money comes from the available balance of `to_account`. Only operators refund deposits and withdrawals. A refund does not change the payer’s use of limits.',
      params: pathId(ref(PaymentId)),
      headers: requiredKey,
      body: ref(NewRefund),
      response: {
        201: ref(Refund),
        202: ref(Refund),
        402: problem(
          REFUND_DECLINES,
          'The refund was declined. It exists, is FAILED, and is in the body.',
          DeclinedRefundProblem,
        ),
        403: problem(['ACTION_NOT_ALLOWED', 'OWN_ACCOUNT']),
        404: problem(['PAYMENT_NOT_FOUND']),
        409: problem(['INVALID_STATE', 'IDEMPOTENCY_IN_PROGRESS']),
        422: problem(['REFUND_EXCEEDS_CAPTURED', 'IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const { amount, reason = '' } = request.body;
      const message = {
        requestId: request.headers['idempotency-key'],
        paymentId: request.params.id,
        amountMinor: amount === undefined ? undefined : BigInt(amount),
        reason,
        ...notesRequest(request.body),
      };
      return answerRefund(await payment.createRefund(message, asCaller(request)), reply);
    },
  });

  app.get('/v1/payments/:id/refunds', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'listRefunds',
      summary: 'List the refunds of one payment, newest first',
      description: 'The payer sees completed refunds only. The receiver also sees pending and failed ones.',
      params: pathId(ref(PaymentId)),
      querystring: query(pageQuery),
      response: { 200: ref(RefundPage), 404: problem(['PAYMENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { query: filters, params } = request;
      const message = {
        ...operationsMessage({ ...filters, payment_id: params.id }),
        state: RefundState.UNSPECIFIED,
      };
      const page = await payment.listRefunds(message, asCaller(request));
      return pageJson(page.refunds.map(refundJson), page.nextPageToken);
    },
  });

  app.get('/v1/refunds', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'listAllRefunds',
      summary:
        'List refunds, newest first: customers see those of their payments, operators and auditors see all',
      description:
        'The payer sees completed refunds only. If few refunds match the filters, a page may have fewer items than `limit`, or none, although there are more pages.',
      querystring: operationQuery(REFUND_STATES.schema),
      response: { 200: ref(RefundPage), 404: problem(['PAYMENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { state } = request.query;
      const message = {
        ...operationsMessage(request.query),
        state: state ? REFUND_STATES.numberOf(state) : RefundState.UNSPECIFIED,
      };
      const page = await payment.listRefunds(message, asCaller(request));
      return pageJson(page.refunds.map(refundJson), page.nextPageToken);
    },
  });

  app.get('/v1/refunds/:id', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'getRefund',
      summary: 'Get a refund',
      params: pathId(ref(RefundId)),
      response: { 200: ref(Refund), 404: problem(['REFUND_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { refund } = await payment.getRefund({ refundId: request.params.id }, asCaller(request));
      if (!refund) throw new Error('The response of the payment service has no refund.');
      return refundJson(refund);
    },
  });
};
