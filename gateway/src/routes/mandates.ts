/** Mandates: a payer lets one payee collect. The payee collects by `mandate_id` in a payment: see payments.ts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { MandateState } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { AccountId, AnyAccountId, MandateId, pathId } from '../schemas/ids.ts';
import { MANDATE_STATES, Mandate, mandateJson } from '../schemas/mandate.ts';
import { Amount } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { text, timeInput, timeOf } from '../schemas/text.ts';

const EXAMPLE = {
  from_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3e',
  to_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3f',
  per_payment: 5_000,
  monthly: 10_000,
  valid_until: '2027-01-31T12:00:00.000Z',
  reference: 'gym membership',
};

const NewMandate = named(
  'NewMandate',
  Type.Object(
    {
      from_account: ref(AccountId),
      to_account: ref(AccountId),
      per_payment: Type.Optional(ref(Amount)),
      daily: Type.Optional(ref(Amount)),
      monthly: Type.Optional(ref(Amount)),
      valid_until: timeInput('It ends at this time, which is later than now.'),
      reference: Type.Optional(text(100, 'A text that both sides see.', 'gym membership')),
    },
    {
      additionalProperties: false,
      examples: [EXAMPLE],
      description: 'An absent limit means no limit. Days and months are those of the payer’s account.',
    },
  ),
);

const MandatePage = pageOf('MandatePage', Mandate);

export const mandateSchemas = [Mandate, MandatePage, NewMandate];

const mandatesQuery = query({
  ...pageQuery,
  account_id: Type.Optional(ref(AnyAccountId)),
  from_account: Type.Optional(ref(AnyAccountId)),
  to_account: Type.Optional(ref(AnyAccountId)),
  state: Type.Optional(MANDATE_STATES.schema),
  // proto3 cannot tell an empty text from an absent one: an empty filter would list all mandates.
  reference: Type.Optional({
    ...text(100, 'Only mandates with exactly this reference.', 'gym membership'),
    minLength: 1,
  }),
  created_after: Type.Optional(timeInput('Created at or after.')),
  created_before: Type.Optional(timeInput('Created before.')),
});

interface Options {
  mandates: Neighbours['mandates'];
}

export const mandateRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { mandates }) => {
  app.post('/v1/mandates', {
    config: { access: ['customer', 'operator'], scope: 'mandates:write' },
    schema: {
      tags: ['mandates'],
      operationId: 'createMandate',
      summary: 'Let one payee collect from an account of yours',
      description:
        'For the owner of `from_account`. The payee collects with `mandate_id` in `POST /v1/payments`. Each collection is decided like any payment, and declined with `MANDATE_LIMIT_EXCEEDED` beyond a limit of the mandate.',
      headers: optionalKey,
      body: ref(NewMandate),
      response: {
        201: ref(Mandate),
        404: problem(['FROM_ACCOUNT_NOT_FOUND', 'TO_ACCOUNT_NOT_FOUND']),
        422: problem(['SAME_ACCOUNT', 'CURRENCY_MISMATCH', 'IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const message = createMessage(request.body, keyOf(request.headers));
      const { mandate } = await mandates.createMandate(message, asCaller(request));
      const body = mandateJson(mandate);
      return reply.code(201).header('location', `/v1/mandates/${body.id}`).send(body);
    },
  });

  app.get('/v1/mandates', {
    config: { access: EVERY_ROLE, scope: 'mandates:read' },
    schema: {
      tags: ['mandates'],
      operationId: 'listMandates',
      summary: 'List mandates, newest first: customers see those of their accounts, on either side',
      description: 'Operators and auditors see all mandates.',
      querystring: mandatesQuery,
      response: { 200: ref(MandatePage) },
    },
    handler: async (request) => {
      const page = await mandates.listMandates(listMessage(request.query), asCaller(request));
      return pageJson(page.mandates.map(mandateJson), page.nextPageToken);
    },
  });

  app.get('/v1/mandates/:id', {
    config: { access: EVERY_ROLE, scope: 'mandates:read' },
    schema: {
      tags: ['mandates'],
      operationId: 'getMandate',
      summary: 'Get a mandate with the use of its limits',
      params: pathId(ref(MandateId)),
      response: { 200: ref(Mandate), 404: problem(['MANDATE_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { mandate } = await mandates.getMandate({ mandateId: request.params.id }, asCaller(request));
      return mandateJson(mandate);
    },
  });

  app.post('/v1/mandates/:id/revoke', {
    config: { access: ['customer', 'operator'], scope: 'mandates:write', optionalBody: true },
    schema: {
      tags: ['mandates'],
      operationId: 'revokeMandate',
      summary: 'Revoke a mandate at once and for ever',
      description:
        'For the owner of `from_account`. A payment that is decided later is declined with `MANDATE_NOT_ACTIVE`. Money that is held for the payee stays held. A mandate that is revoked stays as it is, so the request can be repeated.',
      params: pathId(ref(MandateId)),
      body: ref(NoFields),
      response: {
        200: ref(Mandate),
        403: problem(['ACTION_NOT_ALLOWED'], '`allowed` is `payer`.'),
        404: problem(['MANDATE_NOT_FOUND']),
      },
    },
    handler: async (request) => {
      const { mandate } = await mandates.revokeMandate({ mandateId: request.params.id }, asCaller(request));
      return mandateJson(mandate);
    },
  });
};

function createMessage(body: Static<typeof NewMandate>, requestId: string) {
  return {
    requestId,
    fromAccount: body.from_account,
    toAccount: body.to_account,
    perPaymentMinor: bigIntOf(body.per_payment),
    dailyMinor: bigIntOf(body.daily),
    monthlyMinor: bigIntOf(body.monthly),
    validUntil: timeOf('/valid_until', body.valid_until, { place: 'body' }),
    reference: body.reference ?? '',
  };
}

const bigIntOf = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));

function listMessage(filters: Static<typeof mandatesQuery>) {
  return {
    ...pageRequest(filters),
    accountId: filters.account_id ?? '',
    fromAccount: filters.from_account ?? '',
    toAccount: filters.to_account ?? '',
    state: filters.state ? MANDATE_STATES.numberOf(filters.state) : MandateState.UNSPECIFIED,
    reference: filters.reference ?? '',
    createdAfter: timeOf('/created_after', filters.created_after),
    createdBefore: timeOf('/created_before', filters.created_before),
  };
}
