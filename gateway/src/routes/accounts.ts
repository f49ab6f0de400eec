/** The accounts that money moves between. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import {
  type Account as AccountMessage,
  AccountState,
  type Limits as LimitsMessage,
} from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { asCaller, EVERY_ROLE, WRITE_DEADLINE_MS } from '../access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { optionalKey } from '../schemas/idempotency.ts';
import { AnyAccountId, pathId, UserId } from '../schemas/ids.ts';
import { Amount, Currency, count, minorUnits, nullableMinorUnits } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { emptyAsNull, text, time, timeJson } from '../schemas/text.ts';
import { wireNames } from '../schemas/wire-names.ts';

const STATUSES = wireNames('What the account may do: only an ACTIVE one pays and receives.', {
  [AccountState.ACTIVE]: 'ACTIVE',
  [AccountState.FROZEN]: 'FROZEN',
  [AccountState.CLOSED]: 'CLOSED',
});

const Account = named(
  'Account',
  Type.Object({
    id: ref(AnyAccountId),
    owner_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'The user who owns it; null for the world outside.',
    }),
    name: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'For people.' }),
    currency: ref(Currency),
    status: STATUSES.schema,
    balance: Type.Object({
      posted: minorUnits('What is there.'),
      held: minorUnits('What of it is promised to authorized payments.'),
      available: minorUnits('What can be spent: posted − held.'),
    }),
    limits: Type.Object(
      {
        per_payment: nullableMinorUnits('The most that one payment may move.'),
        daily: nullableMinorUnits('The most that may be spent in a day, UTC.'),
        monthly: nullableMinorUnits('The most that may be spent in a calendar month, UTC.'),
        daily_count: Type.Unsafe<number | null>({
          type: ['integer', 'null'],
          description: 'The most payments in a day, UTC.',
        }),
      },
      { description: 'What the owner may spend; null is no limit.' },
    ),
    usage: Type.Object(
      {
        daily: minorUnits('Spent today.'),
        monthly: minorUnits('Spent this month.'),
        daily_count: Type.Integer({ description: 'Payments today.' }),
      },
      { description: 'How much of the limits is used.' },
    ),
    version: count('Rises with each change of name, status or limits.'),
    created_at: time('When it was opened.'),
  }),
);
const AccountPage = pageOf('AccountPage', Account);

const Limits = named(
  'Limits',
  Type.Object(
    {
      per_payment: Type.Optional(ref(Amount)),
      daily: Type.Optional(ref(Amount)),
      monthly: Type.Optional(ref(Amount)),
      daily_count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, examples: [50] })),
    },
    { additionalProperties: false, description: 'What is absent is no limit.' },
  ),
);

const NewAccount = named(
  'NewAccount',
  Type.Object(
    {
      owner_id: ref(UserId),
      currency: ref(Currency),
      name: Type.Optional(text(100, 'For people.')),
      limits: Type.Optional(ref(Limits)),
    },
    { additionalProperties: false },
  ),
);

export const accountSchemas = [Account, AccountPage, Limits, NewAccount];

interface Options {
  authorization: Neighbours['authorization'];
}

export const accountRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { authorization }) => {
  app.post('/v1/accounts', {
    config: { access: ['operator'] },
    schema: {
      tags: ['accounts'],
      operationId: 'createAccount',
      summary: 'Open an account with balance 0',
      headers: optionalKey,
      body: ref(NewAccount),
      response: { 201: ref(Account), 422: problem('The Idempotency-Key was used for another account.') },
    },
    handler: async (request, reply) => {
      const { owner_id, currency, name = '', limits } = request.body;
      const message = {
        requestId: request.headers['idempotency-key'] ?? '',
        ownerId: owner_id,
        currency,
        name,
        limits: limits && limitsMessage(limits),
        timeZone: '',
      };
      const { account } = await authorization.createAccount(message, asCaller(request, WRITE_DEADLINE_MS));
      const body = accountJson(account);
      return reply.code(201).header('location', `/v1/accounts/${body.id}`).send(body);
    },
  });

  app.get('/v1/accounts', {
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['accounts'],
      operationId: 'listAccounts',
      summary: 'List accounts, newest first: a customer’s own, everybody’s for operators and auditors',
      querystring: query(pageQuery),
      response: { 200: ref(AccountPage) },
    },
    handler: async (request) => {
      const page = await authorization.listAccounts(pageRequest(request.query), asCaller(request));
      return pageJson(page.accounts.map(accountJson), page.nextPageToken);
    },
  });

  app.get('/v1/accounts/:id', {
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['accounts'],
      operationId: 'getAccount',
      summary: 'One account with its balance, limits and their use',
      params: pathId(ref(AnyAccountId)),
      response: { 200: ref(Account) },
    },
    handler: async (request) => {
      const { account } = await authorization.getAccount({ accountId: request.params.id }, asCaller(request));
      return accountJson(account);
    },
  });
};

function limitsMessage({ per_payment, daily, monthly, daily_count }: Static<typeof Limits>): LimitsMessage {
  return {
    perPaymentMinor: optionalBigInt(per_payment),
    dailyMinor: optionalBigInt(daily),
    monthlyMinor: optionalBigInt(monthly),
    dailyCount: daily_count,
  };
}

const optionalBigInt = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));

function accountJson(account: AccountMessage | undefined): Static<typeof Account> {
  if (!account?.balance) throw new Error('Authorization answered without an account or its balance.');
  const { balance, limits, usage } = account;
  return {
    id: account.id,
    owner_id: emptyAsNull(account.ownerId),
    name: emptyAsNull(account.name),
    currency: account.currency,
    status: STATUSES.nameOf(account.state),
    balance: { posted: balance.postedMinor, held: balance.heldMinor, available: balance.availableMinor },
    limits: {
      per_payment: limits?.perPaymentMinor ?? null,
      daily: limits?.dailyMinor ?? null,
      monthly: limits?.monthlyMinor ?? null,
      daily_count: limits?.dailyCount ?? null,
    },
    usage: {
      daily: usage?.dailyMinor ?? 0n,
      monthly: usage?.monthlyMinor ?? 0n,
      daily_count: usage?.dailyCount ?? 0,
    },
    version: account.version,
    created_at: timeJson(account.createdAt),
  };
}
