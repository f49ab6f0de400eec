/** Lists the audit records of accounts, users, API clients and signing keys. Records are never changed. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { IdentityAuditRecord as IdentityRecordMessage } from '@payflowx/proto/auth';
import type { AccountAuditRecord as AccountRecordMessage } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { AccountId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { emptyAsNull, nullableText, time, timeJson } from '../schemas/text.ts';

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
      description: '`account.created`, `.updated`, `.frozen`, `.unfrozen` or `.closed`.',
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

const IDENTITY_ACTIONS = [
  'user.created',
  'user.updated',
  'client.created',
  'client.updated',
  'client.revoked',
  'client.secret_rotated',
  'key.rotated',
];

const IdentityAuditRecord = named(
  'IdentityAuditRecord',
  Type.Object({
    ...record,
    action: Type.String({ enum: IDENTITY_ACTIONS, description: 'The action.' }),
    subject_id: Type.String({
      description: 'The id of the changed user, client or key.',
      examples: ['cli_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
    }),
    details: anyObject('The result of the action. Never contains a secret.'),
    ...when,
  }),
);
const IdentityAuditPage = pageOf('IdentityAuditPage', IdentityAuditRecord);

export const auditSchemas = [AccountAuditRecord, AccountAuditPage, IdentityAuditRecord, IdentityAuditPage];

const id = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]{1,64}$', description }));

type Options = Pick<Neighbours, 'auth' | 'authorization'>;

export const auditRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth, authorization }) => {
  app.get('/v1/audit/accounts', {
    config: { access: ['operator', 'auditor'] },
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

  app.get('/v1/audit/identities', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['audit'],
      operationId: 'listIdentityAudit',
      summary: 'List changes of users, API clients and signing keys, newest first',
      querystring: query({
        ...pageQuery,
        subject_id: id('Only changes of this user, client or key.'),
        actor_id: id('Only actions of this actor.'),
        action: Type.Optional(Type.String({ enum: IDENTITY_ACTIONS, description: 'Only this action.' })),
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
