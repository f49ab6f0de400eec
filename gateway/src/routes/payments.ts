/** Payments between two accounts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PaymentState } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { accessTokenOf, asCaller, EVERY_ROLE } from '../access/access.ts';
import { answerCreation } from '../answers/payment-answer.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import type { PaymentBatches } from '../clients/payment-batches.ts';
import { DECLINES } from '../problems/problem-codes.ts';
import { problem } from '../schemas/answers.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { AnyAccountId, PaymentId, pathId } from '../schemas/ids.ts';
import { Currency, MAX_AMOUNT } from '../schemas/money.ts';
import { ref } from '../schemas/named.ts';
import { createMessage, NewPayment } from '../schemas/new-payment.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { DeclinedProblem, Payment, paymentJson, STATES } from '../schemas/payment.ts';
import { text, timeInput, timeOf } from '../schemas/text.ts';

const PaymentPage = pageOf('PaymentPage', Payment);

const amountFilter = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_AMOUNT, description }));

const paymentsQuery = query({
  ...pageQuery,
  account_id: Type.Optional(ref(AnyAccountId)),
  state: Type.Optional(STATES.schema),
  currency: Type.Optional(ref(Currency)),
  // proto3 cannot tell an empty text from an absent one: an empty filter would list all payments.
  reference: Type.Optional({
    ...text(100, 'Only payments with exactly this reference.', 'order-4711'),
    minLength: 1,
  }),
  created_after: Type.Optional(timeInput('Created at or after.')),
  created_before: Type.Optional(timeInput('Created before.')),
  amount_min: amountFilter('At least this many minor units.'),
  amount_max: amountFilter('At most this many minor units.'),
});

export const paymentRouteSchemas = [PaymentPage];

interface Options {
  payment: Neighbours['payment'];
  batches: PaymentBatches;
}

export const paymentRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { payment, batches }) => {
  app.post('/v1/payments', {
    config: { access: ['customer', 'operator'], scope: 'payments:write' },
    schema: {
      tags: ['payments'],
      operationId: 'createPayment',
      summary: 'Pay from one account to another',
      description:
        'For the owner of `from_account` and for operators. With `capture: manual` the money is only held. Capture or cancel the payment later; otherwise the hold expires.',
      headers: requiredKey,
      body: ref(NewPayment),
      response: { 201: ref(Payment), 202: ref(Payment), ...refusals },
    },
    handler: async (request, reply) => {
      const outcome = await batches.submit({
        accessToken: accessTokenOf(request),
        traceparent: request.trace.traceparent,
        deadline: request.deadline,
        request: createMessage(request.body, request.headers['idempotency-key']),
      });
      return answerCreation(outcome, reply);
    },
  });

  app.get('/v1/payments', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'listPayments',
      summary: 'List payments, newest first: customers see their own, operators and auditors see all',
      description:
        'If few payments match the filters, a page may have fewer items than `limit`, or none, although there are more pages. Read on until `next_cursor` is null.',
      querystring: paymentsQuery,
      response: { 200: ref(PaymentPage) },
    },
    handler: async (request) => {
      const page = await payment.listPayments(listMessage(request.query), asCaller(request));
      return pageJson(page.payments.map(paymentJson), page.nextPageToken);
    },
  });

  app.get('/v1/payments/:id', {
    config: { access: EVERY_ROLE, scope: 'payments:read' },
    schema: {
      tags: ['payments'],
      operationId: 'getPayment',
      summary: 'Get a payment',
      params: pathId(ref(PaymentId)),
      response: { 200: ref(Payment), 404: problem(['PAYMENT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { payment: found } = await payment.getPayment(
        { paymentId: request.params.id },
        asCaller(request),
      );
      if (!found) throw new Error('The response of the payment service has no payment.');
      return paymentJson(found);
    },
  });
};

/** The errors that every creation of a payment may have. */
export const refusals = {
  402: problem(
    DECLINES,
    'The payment was declined. It exists, is FAILED, and is in the body.',
    DeclinedProblem,
  ),
  403: problem(['OWN_ACCOUNT']),
  404: problem(['FROM_ACCOUNT_NOT_FOUND']),
  409: problem(['IDEMPOTENCY_IN_PROGRESS']),
  422: problem(['SAME_ACCOUNT', 'IDEMPOTENCY_KEY_REUSED']),
};

function listMessage(filters: Static<typeof paymentsQuery>) {
  const { amount_min, amount_max } = filters;
  return {
    ...pageRequest(filters),
    accountId: filters.account_id ?? '',
    state: filters.state ? STATES.numberOf(filters.state) : PaymentState.UNSPECIFIED,
    currency: filters.currency ?? '',
    reference: filters.reference ?? '',
    createdAfter: timeOf('/created_after', filters.created_after),
    createdBefore: timeOf('/created_before', filters.created_before),
    amountMinMinor: amount_min === undefined ? undefined : BigInt(amount_min),
    amountMaxMinor: amount_max === undefined ? undefined : BigInt(amount_max),
  };
}
