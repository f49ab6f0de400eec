/** Payments between two accounts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { PaymentKind, PaymentState } from '@payflowx/proto/payment';
import { PAYMENT_STATE_NAMES } from '@payflowx/proto/payment-json';
import { isMagic } from '@payflowx/proto/sandbox';
import { type Static, Type } from 'typebox';
import { accessTokenOf, asCaller, EVERY_ROLE } from '../access/access.ts';
import { answerCreation } from '../answers/payment-answer.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import type { PaymentBatches } from '../clients/payment-batches.ts';
import { playReference } from '../http/play-reference.ts';
import { DECLINES } from '../problems/problem-codes.ts';
import { problem } from '../schemas/answers.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { AnyAccountId, MandateId, PaymentId, pathId } from '../schemas/ids.ts';
import { Currency, MAX_AMOUNT } from '../schemas/money.ts';
import { ref } from '../schemas/named.ts';
import { createMessage, NewPayment } from '../schemas/new-payment.ts';
import { MetadataFilter, NoteChanges, noteSchemas, notesChange } from '../schemas/notes.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import {
  DeclinedProblem,
  KINDS,
  listedPaymentJson,
  Payment,
  paymentJson,
  STATES,
} from '../schemas/payment.ts';
import { text, timeInput, timeOf } from '../schemas/text.ts';

const PaymentPage = pageOf('PaymentPage', Payment);

const STATE_NAMES = Object.values(PAYMENT_STATE_NAMES);
const STATE = STATE_NAMES.join('|');
const STATE_LIST = STATE_NAMES.map((name) => `\`${name}\``).join(', ');

const amountFilter = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_AMOUNT, description }));

const paymentsQuery = query({
  ...pageQuery,
  account_id: Type.Optional(ref(AnyAccountId)),
  state: Type.Optional(
    Type.String({
      maxLength: 200,
      pattern: `^(${STATE})(,(${STATE})){0,8}$`,
      description: `Only payments in one of these states, separated by commas: ${STATE_LIST}.`,
      examples: ['AUTHORIZED,PARTIALLY_CAPTURED'],
    }),
  ),
  kind: Type.Optional(KINDS.schema),
  from_account: Type.Optional(ref(AnyAccountId)),
  to_account: Type.Optional(ref(AnyAccountId)),
  metadata: Type.Optional(MetadataFilter),
  currency: Type.Optional(ref(Currency)),
  // proto3 cannot tell an empty text from an absent one: an empty filter would list all payments.
  reference: Type.Optional({
    ...text(
      100,
      'Only payments with exactly this reference of your side. Operators and auditors find those of either side.',
      'order-4711',
    ),
    minLength: 1,
  }),
  reference_prefix: Type.Optional({
    ...text(
      100,
      'Only payments whose reference of your side begins with this text. Capitals count. Operators and auditors find those of either side.',
      'order-47',
    ),
    minLength: 1,
  }),
  mandate_id: Type.Optional(ref(MandateId)),
  created_after: Type.Optional(timeInput('Created at or after.')),
  created_before: Type.Optional(timeInput('Created before.')),
  updated_after: Type.Optional(
    timeInput(
      'Last changed at or after. With `updated_after` or `updated_before`, the list is sorted by `updated_at`.',
    ),
  ),
  updated_before: Type.Optional(timeInput('Last changed before.')),
  amount_min: amountFilter('At least this many minor units.'),
  amount_max: amountFilter('At most this many minor units.'),
  order: Type.Optional(
    Type.Unsafe<'asc' | 'desc'>({
      type: 'string',
      enum: ['asc', 'desc'],
      default: 'desc',
      description:
        'The newest or the oldest first, by `created_at`, or by `updated_at` with one of its filters. With `asc`, set `created_before` or `updated_before` to a minute ago, so that no payment in flight is skipped.',
    }),
  ),
  expand: Type.Optional(
    Type.Unsafe<'decision'>({
      type: 'string',
      enum: ['decision'],
      description: 'Adds the `decision` of each payment.',
    }),
  ),
});

export const paymentRouteSchemas = [PaymentPage, ...noteSchemas];

interface Options {
  payment: Neighbours['payment'];
  batches: PaymentBatches;
  /** True if magic references choose how a payment goes. */
  sandbox: boolean;
}

export const paymentRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { payment, batches, sandbox } = options;
  app.post('/v1/payments', {
    config: { access: ['customer', 'operator'], scope: 'payments:write' },
    schema: {
      tags: ['payments'],
      operationId: 'createPayment',
      summary: 'Pay from one account to another',
      description:
        'For the owner of `from_account` and for operators. With `mandate_id`, for the owner of `to_account`, who collects by that mandate. With `capture: manual` the money is only held. Capture or cancel the payment later, as the side that `capture_by` names; otherwise the hold expires.',
      headers: requiredKey,
      body: ref(NewPayment),
      response: { 201: ref(Payment), 202: ref(Payment), ...refusals },
    },
    handler: async (request, reply) => {
      const { reference = '' } = request.body;
      if (sandbox && isMagic(reference)) await playReference(request, reference);
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
      const isExpanded = request.query.expand === 'decision';
      return pageJson(page.payments.map(isExpanded ? paymentJson : listedPaymentJson), page.nextPageToken);
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

  app.patch('/v1/payments/:id', {
    config: { access: ['customer', 'operator'], scope: 'payments:write' },
    schema: {
      tags: ['payments'],
      operationId: 'changePaymentNotes',
      summary: 'Change your own reference and metadata of a payment',
      description:
        'For the owner of `from_account` and of `to_account`. Each side has its own notes, and never sees those of the other. They change neither `version` nor `updated_at`, and events keep the notes of the request. The same change again has the same result.',
      params: pathId(ref(PaymentId)),
      body: ref(NoteChanges),
      response: {
        200: ref(Payment),
        403: problem(['ACTION_NOT_ALLOWED']),
        404: problem(['PAYMENT_NOT_FOUND']),
      },
    },
    handler: async (request) => {
      const { payment: changed } = await payment.changePaymentNotes(
        { paymentId: request.params.id, ...notesChange(request.body) },
        asCaller(request),
      );
      if (!changed) throw new Error('The response of the payment service has no payment.');
      return paymentJson(changed);
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
  404: problem(['FROM_ACCOUNT_NOT_FOUND', 'MANDATE_NOT_FOUND']),
  409: problem(['IDEMPOTENCY_IN_PROGRESS']),
  422: problem(['SAME_ACCOUNT', 'IDEMPOTENCY_KEY_REUSED']),
};

type StateName = Static<typeof STATES.schema>;

function listMessage(filters: Static<typeof paymentsQuery>) {
  const { amount_min, amount_max } = filters;
  return {
    ...pageRequest(filters),
    accountId: filters.account_id ?? '',
    state: PaymentState.UNSPECIFIED,
    states: filters.state?.split(',').map((name) => STATES.numberOf(name as StateName)) ?? [],
    kind: filters.kind ? KINDS.numberOf(filters.kind) : PaymentKind.UNSPECIFIED,
    fromAccount: filters.from_account ?? '',
    toAccount: filters.to_account ?? '',
    metadata: filters.metadata ?? {},
    oldestFirst: filters.order === 'asc',
    currency: filters.currency ?? '',
    reference: filters.reference ?? '',
    referencePrefix: filters.reference_prefix ?? '',
    mandateId: filters.mandate_id ?? '',
    createdAfter: timeOf('/created_after', filters.created_after),
    createdBefore: timeOf('/created_before', filters.created_before),
    updatedAfter: timeOf('/updated_after', filters.updated_after),
    updatedBefore: timeOf('/updated_before', filters.updated_before),
    amountMinMinor: amount_min === undefined ? undefined : BigInt(amount_min),
    amountMaxMinor: amount_max === undefined ? undefined : BigInt(amount_max),
  };
}
