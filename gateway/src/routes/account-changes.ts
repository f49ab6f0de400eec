/** Changes of accounts by operators. Each change leaves a record: see audit.ts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AccountState } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { Account, accountJson } from '../schemas/account.ts';
import { problem } from '../schemas/answers.ts';
import { timeZone } from '../schemas/formats.ts';
import { AccountId, pathId } from '../schemas/ids.ts';
import { LimitChanges, mergedLimits } from '../schemas/limits.ts';
import { named, ref } from '../schemas/named.ts';
import { emptyIfNull, MetadataChanges, metadataChange, removableText } from '../schemas/notes.ts';
import { text } from '../schemas/text.ts';
import { optionalVersion, requiredVersion, versionOf, withETag } from '../schemas/versions.ts';

const AccountChanges = named(
  'AccountChanges',
  Type.Object(
    {
      name: Type.Optional(removableText(100, 'A name for people to read. Null removes it.', 'Household')),
      external_id: Type.Optional(removableText(100, 'Your own id for it. Null removes it.', 'customer-4711')),
      metadata: Type.Optional(MetadataChanges),
      limits: Type.Optional(ref(LimitChanges)),
      time_zone: Type.Optional(timeZone('The limits count days and months of this time zone.')),
    },
    { additionalProperties: false, description: 'Absent fields keep their value.' },
  ),
);

const Reason = named(
  'Reason',
  Type.Object(
    { reason: Type.Optional(text(500, 'The reason, for the audit log.', 'The card was stolen.')) },
    { additionalProperties: false },
  ),
);

export const accountChangeSchemas = [LimitChanges, AccountChanges, Reason];

const STATE_CHANGES = [
  {
    action: 'freeze',
    state: AccountState.FROZEN,
    summary: 'Freeze an account: until it is unfrozen, it neither pays nor receives',
    conflicts: ['INVALID_STATE'],
  },
  {
    action: 'unfreeze',
    state: AccountState.ACTIVE,
    summary: 'Unfreeze an account',
    conflicts: ['INVALID_STATE'],
  },
  {
    action: 'close',
    state: AccountState.CLOSED,
    summary: 'Close an account permanently; its balance and held amount must be 0',
    conflicts: ['ACCOUNT_NOT_EMPTY'],
  },
] as const;

interface Options {
  authorization: Neighbours['authorization'];
}

export const accountChangeRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { authorization }) => {
  app.patch('/v1/accounts/:id', {
    config: { access: ['operator'], scope: 'accounts:write', recentLogin: true },
    schema: {
      tags: ['accounts'],
      operationId: 'updateAccount',
      summary: 'Change an account’s limits, time zone or what describes it',
      params: pathId(ref(AccountId)),
      headers: requiredVersion,
      body: ref(AccountChanges),
      response: {
        200: ref(Account),
        403: problem(['OWN_ACCOUNT']),
        404: problem(['ACCOUNT_NOT_FOUND']),
        409: problem(['ACCOUNT_CLOSED']),
        412: problem(['VERSION_MISMATCH'], '`version` is the current version.'),
        428: problem(['PRECONDITION_REQUIRED']),
      },
    },
    handler: async (request, reply) => {
      const { name, external_id, metadata, limits, time_zone } = request.body;
      const message = {
        accountId: request.params.id,
        expectedVersion: versionOf(request.headers['if-match']),
        name: emptyIfNull(name),
        externalId: emptyIfNull(external_id),
        ...metadataChange(metadata),
        limits: limits === undefined ? undefined : await limitsAfter(request.params.id, limits),
        timeZone: time_zone,
      };
      const { account } = await authorization.updateAccount(message, asCaller(request));
      return withETag(accountJson(account), reply);

      /** The version also covers the limits, so they cannot change between this read and the write. */
      async function limitsAfter(accountId: string, changes: Static<typeof LimitChanges>) {
        const { account: before } = await authorization.getAccount({ accountId }, asCaller(request));
        return mergedLimits(before?.limits, changes);
      }
    },
  });

  for (const { action, state, summary, conflicts } of STATE_CHANGES) {
    app.post(`/v1/accounts/:id/${action}`, {
      config: { access: ['operator'], scope: 'accounts:write', optionalBody: true },
      schema: {
        tags: ['accounts'],
        operationId: `${action}Account`,
        summary,
        description: 'If the account is in this state already, nothing changes. If-Match is optional.',
        params: pathId(ref(AccountId)),
        headers: optionalVersion,
        body: ref(Reason),
        response: {
          200: ref(Account),
          403: problem(['OWN_ACCOUNT']),
          404: problem(['ACCOUNT_NOT_FOUND']),
          409: problem(conflicts),
          412: problem(['VERSION_MISMATCH'], '`version` is the current version.'),
        },
      },
      handler: async (request, reply) => {
        const tag = request.headers['if-match'];
        const message = {
          accountId: request.params.id,
          state,
          expectedVersion: tag === undefined ? 0n : versionOf(tag),
          reason: request.body.reason ?? '',
        };
        const settings = asCaller(request);
        const { account } = await authorization.changeAccountState(message, settings);
        return withETag(accountJson(account), reply);
      },
    });
  }
};
