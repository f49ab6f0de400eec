/** Opens and reads accounts. Operators change them in account-changes.ts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AccountState } from '@payflowx/proto/authorization';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { Account, accountJson, STATUSES } from '../schemas/account.ts';
import { problem } from '../schemas/answers.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { AnyAccountId, pathId, UserId } from '../schemas/ids.ts';
import { Limits } from '../schemas/limits.ts';
import { ref } from '../schemas/named.ts';
import { NewAccount, newAccountMessage } from '../schemas/new-account.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { text } from '../schemas/text.ts';
import { withETag } from '../schemas/versions.ts';

const accountQuery = query({
  ...pageQuery,
  owner_id: Type.Optional(ref(UserId)),
  status: Type.Optional(STATUSES.schema),
  name: Type.Optional({ ...text(100, 'Only accounts with exactly this name.', 'Household'), minLength: 1 }),
  external_id: Type.Optional({
    ...text(100, 'Only accounts with exactly this external id.', 'customer-4711'),
    minLength: 1,
  }),
});

const AccountPage = pageOf('AccountPage', Account);

export const accountSchemas = [Account, AccountPage, Limits, NewAccount];

interface Options {
  authorization: Neighbours['authorization'];
}

export const accountRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { authorization }) => {
  app.post('/v1/accounts', {
    config: { access: ['operator'], scope: 'accounts:write' },
    schema: {
      tags: ['accounts'],
      operationId: 'createAccount',
      summary: 'Open an account with balance 0',
      headers: optionalKey,
      body: ref(NewAccount),
      response: {
        201: ref(Account),
        403: problem(['OWN_ACCOUNT']),
        422: problem(['IDEMPOTENCY_KEY_REUSED']),
      },
    },
    handler: async (request, reply) => {
      const message = newAccountMessage(request.body, keyOf(request.headers));
      const { account } = await authorization.createAccount(message, asCaller(request));
      const body = withETag(accountJson(account), reply);
      return reply.code(201).header('location', `/v1/accounts/${body.id}`).send(body);
    },
  });

  app.get('/v1/accounts', {
    config: { access: EVERY_ROLE, scope: 'accounts:read' },
    schema: {
      tags: ['accounts'],
      operationId: 'listAccounts',
      summary: 'List accounts, newest first: customers see their own, operators and auditors see all',
      querystring: accountQuery,
      response: { 200: ref(AccountPage) },
    },
    handler: async (request) => {
      const { owner_id = '', status, name = '', external_id = '' } = request.query;
      const filter = {
        ownerId: owner_id,
        state: status === undefined ? AccountState.UNSPECIFIED : STATUSES.numberOf(status),
        name,
        externalId: external_id,
      };
      const asked = { ...pageRequest(request.query), ...filter };
      const page = await authorization.listAccounts(asked, asCaller(request));
      return pageJson(page.accounts.map(accountJson), page.nextPageToken);
    },
  });

  app.get('/v1/accounts/:id', {
    config: { access: EVERY_ROLE, scope: 'accounts:read' },
    schema: {
      tags: ['accounts'],
      operationId: 'getAccount',
      summary: 'Get an account with its balance, limits and usage',
      params: pathId(ref(AnyAccountId)),
      response: { 200: ref(Account), 404: problem(['ACCOUNT_NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      const { account } = await authorization.getAccount({ accountId: request.params.id }, asCaller(request));
      return withETag(accountJson(account), reply);
    },
  });
};
