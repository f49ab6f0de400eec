/** Refunds of payments: in whole or in parts, up to the captured amount. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import { answerRefund } from '../answers/payment-answer.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { REFUND_DECLINES } from '../problems/problem-codes.ts';
import { problem } from '../schemas/answers.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { PaymentId, pathId } from '../schemas/ids.ts';
import { Amount } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { DeclinedRefundProblem, Refund, refundJson } from '../schemas/refund.ts';
import { text } from '../schemas/text.ts';

const NewRefund = named(
  'NewRefund',
  Type.Object(
    {
      amount: Type.Optional(ref(Amount)),
      reason: Type.Optional(text(500, 'The reason, for people to read.', 'One book was damaged')),
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
      summary: 'Refund a completed payment, in whole or in parts',
      description:
        'For the owner of `to_account` and for operators. The money comes from the available balance of `to_account`. Only operators refund deposits and withdrawals. A refund does not change the payer’s use of limits.',
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
      const message = { paymentId: request.params.id, ...pageRequest(request.query) };
      const page = await payment.listRefunds(message, asCaller(request));
      return pageJson(page.refunds.map(refundJson), page.nextPageToken);
    },
  });
};
