/** Payments between two accounts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PaymentState } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { accessTokenOf, asCaller, EVERY_ROLE } from '../access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import type { PaymentBatches } from '../clients/payment-batches.ts';
import { answerCreation } from '../payment-answer.ts';
import { problem } from '../schemas/answers.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { AccountId, AnyAccountId, PaymentId, pathId } from '../schemas/ids.ts';
import { Amount, Currency, MAX_AMOUNT } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { CAPTURES, DeclinedProblem, Payment, paymentJson, STATES } from '../schemas/payment.ts';
import { text, timeInput, timeOf } from '../schemas/text.ts';

/** What a creation may ask for. */
const ACCEPTED_CAPTURES = ['automatic'] as const;

const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: 20,
  propertyNames: { minLength: 1, maxLength: 40, pattern: '^[^\\u0000]*$' },
  additionalProperties: text(500, 'Anything.'),
  description: 'Up to 20 pairs for the payer’s own use.',
  examples: [{ order: '4711' }],
});

const NewPayment = named(
  'NewPayment',
  Type.Object(
    {
      from_account: ref(AccountId),
      to_account: ref(AccountId),
      amount: ref(Amount),
      currency: ref(Currency),
      capture: Type.Optional(
        Type.Unsafe<(typeof ACCEPTED_CAPTURES)[number]>({
          type: 'string',
          enum: [...ACCEPTED_CAPTURES],
          default: 'automatic',
          description: 'When the money moves.',
        }),
      ),
      description: Type.Optional(text(500, 'For people.')),
      reference: Type.Optional(text(100, 'For the payer’s systems; payments can be found by it.')),
      metadata: Type.Optional(Metadata),
    },
    { additionalProperties: false },
  ),
);

const PaymentPage = pageOf('PaymentPage', Payment);

const amountFilter = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_AMOUNT, description }));

const paymentsQuery = query({
  ...pageQuery,
  account_id: Type.Optional(ref(AnyAccountId)),
  state: Type.Optional(STATES.schema),
  currency: Type.Optional(ref(Currency)),
  reference: Type.Optional(text(100, 'Exactly this reference.')),
  created_after: Type.Optional(timeInput('Made at or after.')),
  created_before: Type.Optional(timeInput('Made before.')),
  amount_min: amountFilter('At least this many minor units.'),
  amount_max: amountFilter('At most this many minor units.'),
});

export const paymentRouteSchemas = [NewPayment, PaymentPage];

interface Options {
  payment: Neighbours['payment'];
  batches: PaymentBatches;
  /** How long a creation waits for its outcome. */
  deadlineMs: number;
}

export const paymentRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { payment, batches, deadlineMs },
) => {
  app.post('/v1/payments', {
    config: { access: ['customer', 'operator'] },
    schema: {
      tags: ['payments'],
      operationId: 'createPayment',
      summary: 'Pay from one account to another',
      description: 'Open to the owner of `from_account` and to operators.',
      headers: requiredKey,
      body: ref(NewPayment),
      response: { 201: ref(Payment), 202: ref(Payment), ...refusals },
    },
    handler: async (request, reply) => {
      const outcome = await batches.submit({
        accessToken: accessTokenOf(request),
        traceparent: request.trace.traceparent,
        deadline: new Date(Date.now() + deadlineMs),
        request: createMessage(request.body, request.headers['idempotency-key']),
      });
      return answerCreation(outcome, reply);
    },
  });

  app.get('/v1/payments', {
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['payments'],
      operationId: 'listPayments',
      summary: 'List payments, newest first: a customer’s own, everybody’s for operators and auditors',
      querystring: paymentsQuery,
      response: { 200: ref(PaymentPage) },
    },
    handler: async (request) => {
      const page = await payment.listPayments(listMessage(request.query), asCaller(request));
      return pageJson(page.payments.map(paymentJson), page.nextPageToken);
    },
  });

  app.get('/v1/payments/:id', {
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['payments'],
      operationId: 'getPayment',
      summary: 'One payment',
      params: pathId(ref(PaymentId)),
      response: { 200: ref(Payment) },
    },
    handler: async (request) => {
      const { payment: found } = await payment.getPayment(
        { paymentId: request.params.id },
        asCaller(request),
      );
      if (!found) throw new Error('The payment service answered without a payment.');
      return paymentJson(found);
    },
  });
};

/** What every creation of a payment may be refused with. */
export const refusals = {
  402: problem('Declined: the payment exists, is FAILED, and is in the body.', DeclinedProblem),
  409: problem('A request with this key is still being worked on: try again.'),
  422: problem('The key was used for another request, or the two accounts are the same.'),
};

function createMessage(body: Static<typeof NewPayment>, key: string) {
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
    holdSeconds: 0,
  };
}

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
