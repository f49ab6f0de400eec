/** Lists the audit records of accounts, money, users, API clients and signing keys. Records are never changed. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { IdentityAuditRecord as IdentityRecordMessage } from '@payflowx/proto/auth';
import type { AccountAuditRecord as AccountRecordMessage } from '@payflowx/proto/authorization';
import type { WebhookAuditRecord as WebhookRecordMessage } from '@payflowx/proto/notification';
import { ActionOutcome, type PaymentAuditRecord as PaymentRecordMessage } from '@payflowx/proto/payment';
import { ACCOUNT_ACTIONS, IDENTITY_ACTIONS } from '@payflowx/proto/vocabulary';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { AccountId, AnyAccountId, EndpointId, PaymentId, UserId } from '../schemas/ids.ts';
import { Currency, minorUnits } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { emptyAsNull, nullableText, time, timeJson } from '../schemas/text.ts';
import { wireNames } from '../schemas/wire-names.ts';

/** A recorded object with any members. */
const anyObject = (description: string) =>
  Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true, description });

const record = {
  id: Type.String({ examples: ['aud_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'] }),
  actor_id: Type.String({
    description: 'The user, or the service of the platform, that did it.',
    examples: ['usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
  }),
};

const when = {
  client_id: nullableText('The API client that acted for the actor; null if a person or the platform did.'),
  trace_id: nullableText('The trace of the request; null if there was none. Its caller may choose it.'),
  call_id: nullableText(
    'The platform’s own id of the call, as in its log lines. No caller can choose it. Null if there was no call.',
  ),
  created_at: time('When it was done.'),
};

const AccountAuditRecord = named(
  'AccountAuditRecord',
  Type.Object({
    ...record,
    action: Type.String({
      enum: [...ACCOUNT_ACTIONS],
      description: 'The action.',
      examples: ['account.frozen'],
    }),
    account_id: ref(AccountId),
    reason: nullableText('The reason, if one was given.'),
    before: Type.Unsafe<Record<string, unknown> | null>({
      ...anyObject('The account before the action; null if it was created.'),
      type: ['object', 'null'],
    }),
    after: anyObject('The account after the action.'),
    ...when,
  }),
);
const AccountAuditPage = pageOf('AccountAuditPage', AccountAuditRecord);

const IdentityAuditRecord = named(
  'IdentityAuditRecord',
  Type.Object({
    ...record,
    action: Type.String({ enum: [...IDENTITY_ACTIONS], description: 'The action.' }),
    subject_id: Type.String({
      description: 'The id of the changed user, client or key.',
      examples: ['cli_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
    }),
    details: anyObject('The result of the action. Never contains a secret.'),
    ...when,
  }),
);
const IdentityAuditPage = pageOf('IdentityAuditPage', IdentityAuditRecord);

const OUTCOMES = wireNames('`pending`: not known yet. `declined`: no money moved.', {
  [ActionOutcome.PENDING]: 'pending',
  [ActionOutcome.DONE]: 'done',
  [ActionOutcome.DECLINED]: 'declined',
});

const PaymentAuditRecord = named(
  'PaymentAuditRecord',
  Type.Object({
    id: Type.String({
      description: 'The id of the payment, capture, cancel or refund that was requested.',
      examples: ['pay_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
    }),
    actor_id: Type.String({
      description: 'The operator.',
      examples: ['usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
    }),
    action: Type.String({
      description:
        '`payment.created`, `deposit.created`, `withdrawal.created`, `payment.captured`, `.cancelled` or `.refunded`.',
      examples: ['deposit.created'],
    }),
    outcome: OUTCOMES.schema,
    failure_code: nullableText('The decline code; null if it was not declined.'),
    payment_id: ref(PaymentId),
    account_id: ref(AnyAccountId),
    owner_id: nullableText('The owner of the account; null if it is not known.'),
    amount: minorUnits('The requested amount; 0 for a cancel.'),
    currency: ref(Currency),
    idempotency_key: Type.String({
      description: 'The idempotency key of the request.',
      examples: ['deposit-1'],
    }),
    client_id: nullableText('The API client that acted for the operator; null if a person did.'),
    trace_id: nullableText('The trace of the request. Its caller may choose it.'),
    created_at: time('When it was requested.'),
  }),
);
const PaymentAuditPage = pageOf('PaymentAuditPage', PaymentAuditRecord);

const WebhookAuditRecord = named(
  'WebhookAuditRecord',
  Type.Object({
    ...record,
    action: Type.String({
      description: '`webhook_endpoint.disabled` or `.enabled`.',
      examples: ['webhook_endpoint.disabled'],
    }),
    endpoint_id: ref(EndpointId),
    owner_id: ref(UserId),
    ...when,
  }),
);
const WebhookAuditPage = pageOf('WebhookAuditPage', WebhookAuditRecord);

export const auditSchemas = [
  ...[AccountAuditRecord, AccountAuditPage, IdentityAuditRecord, IdentityAuditPage],
  ...[PaymentAuditRecord, PaymentAuditPage, WebhookAuditRecord, WebhookAuditPage],
];

const id = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{1,64}$', description }));

type Options = Pick<Neighbours, 'auth' | 'authorization' | 'payment' | 'notification'>;

export const auditRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { auth, authorization, payment, notification },
) => {
  app.get('/v1/audit/accounts', {
    config: { access: ['operator', 'auditor'], scope: 'audit:read' },
    schema: {
      tags: ['audit'],
      operationId: 'listAccountAudit',
      summary: 'List changes of accounts by operators, newest first',
      querystring: query({
        ...pageQuery,
        account_id: Type.Optional(ref(AccountId)),
        actor_id: id('Only actions of this actor.'),
      }),
      response: { 200: ref(AccountAuditPage) },
    },
    handler: async (request) => {
      const { account_id = '', actor_id = '' } = request.query;
      const message = { ...pageRequest(request.query), accountId: account_id, actorId: actor_id };
      const page = await authorization.listAccountAuditRecords(message, asCaller(request));
      return pageJson(page.records.map(accountRecordJson), page.nextPageToken);
    },
  });

  app.get('/v1/audit/payments', {
    config: { access: ['operator', 'auditor'], scope: 'audit:read' },
    schema: {
      tags: ['audit'],
      operationId: 'listPaymentAudit',
      summary: 'List what operators did with the money of others, newest first',
      description:
        'Deposits, withdrawals, payments from accounts of others, and captures, cancels and refunds of payments of others. Requests that were refused before a payment or a step was stored are not listed.',
      querystring: query({
        ...pageQuery,
        account_id: Type.Optional(ref(AnyAccountId)),
        actor_id: id('Only requests of this operator.'),
      }),
      response: { 200: ref(PaymentAuditPage) },
    },
    handler: async (request) => {
      const { account_id = '', actor_id = '' } = request.query;
      const message = { ...pageRequest(request.query), accountId: account_id, actorId: actor_id };
      const page = await payment.listPaymentAuditRecords(message, asCaller(request));
      return pageJson(page.records.map(paymentRecordJson), page.nextPageToken);
    },
  });

  app.get('/v1/audit/webhooks', {
    config: { access: ['operator', 'auditor'], scope: 'audit:read' },
    schema: {
      tags: ['audit'],
      operationId: 'listWebhookAudit',
      summary: 'List what operators did with the webhook endpoints of others, newest first',
      querystring: query({
        ...pageQuery,
        endpoint_id: Type.Optional(ref(EndpointId)),
        actor_id: id('Only actions of this operator.'),
      }),
      response: { 200: ref(WebhookAuditPage) },
    },
    handler: async (request) => {
      const { endpoint_id = '', actor_id = '' } = request.query;
      const message = { ...pageRequest(request.query), endpointId: endpoint_id, actorId: actor_id };
      const page = await notification.listWebhookAuditRecords(message, asCaller(request));
      return pageJson(page.records.map(webhookRecordJson), page.nextPageToken);
    },
  });

  app.get('/v1/audit/identities', {
    config: { access: ['admin', 'operator', 'auditor'], scope: 'audit:read' },
    schema: {
      tags: ['audit'],
      operationId: 'listIdentityAudit',
      summary: 'List changes of users, API clients and signing keys, newest first',
      querystring: query({
        ...pageQuery,
        subject_id: id('Only changes of this user, client or key.'),
        actor_id: id('Only actions of this actor.'),
        action: Type.Optional(Type.String({ enum: [...IDENTITY_ACTIONS], description: 'Only this action.' })),
      }),
      response: { 200: ref(IdentityAuditPage) },
    },
    handler: async (request) => {
      const { subject_id = '', actor_id = '', action = '' } = request.query;
      const filters = { subjectId: subject_id, actorId: actor_id, action };
      const message = { ...pageRequest(request.query), ...filters };
      const page = await auth.listIdentityAuditRecords(message, asCaller(request));
      return pageJson(page.records.map(identityRecordJson), page.nextPageToken);
    },
  });
};

function accountRecordJson(record: AccountRecordMessage): Static<typeof AccountAuditRecord> {
  return {
    id: record.id,
    actor_id: record.actorId,
    action: record.action,
    account_id: record.accountId,
    reason: emptyAsNull(record.reason),
    before: record.beforeJson === '' ? null : JSON.parse(record.beforeJson),
    after: JSON.parse(record.afterJson),
    client_id: emptyAsNull(record.clientId),
    trace_id: emptyAsNull(record.traceId),
    call_id: emptyAsNull(record.callId),
    created_at: timeJson(record.createdAt),
  };
}

function paymentRecordJson(record: PaymentRecordMessage): Static<typeof PaymentAuditRecord> {
  return {
    id: record.id,
    actor_id: record.actorId,
    action: record.action,
    outcome: OUTCOMES.nameOf(record.outcome),
    failure_code: emptyAsNull(record.failureCode),
    payment_id: record.paymentId,
    account_id: record.accountId,
    owner_id: emptyAsNull(record.ownerId),
    amount: record.amountMinor,
    currency: record.currency,
    idempotency_key: record.idempotencyKey,
    client_id: emptyAsNull(record.clientId),
    trace_id: emptyAsNull(record.traceId),
    created_at: timeJson(record.createdAt),
  };
}

function webhookRecordJson(record: WebhookRecordMessage): Static<typeof WebhookAuditRecord> {
  return {
    id: record.id,
    actor_id: record.actorId,
    action: record.action,
    endpoint_id: record.endpointId,
    owner_id: record.ownerId,
    client_id: emptyAsNull(record.clientId),
    trace_id: emptyAsNull(record.traceId),
    call_id: emptyAsNull(record.callId),
    created_at: timeJson(record.createdAt),
  };
}

function identityRecordJson(record: IdentityRecordMessage): Static<typeof IdentityAuditRecord> {
  return {
    id: record.id,
    actor_id: record.actorId,
    action: record.action,
    subject_id: record.subjectId,
    details: record.detailsJson === '' ? {} : JSON.parse(record.detailsJson),
    client_id: emptyAsNull(record.clientId),
    trace_id: emptyAsNull(record.traceId),
    call_id: emptyAsNull(record.callId),
    created_at: timeJson(record.createdAt),
  };
}
