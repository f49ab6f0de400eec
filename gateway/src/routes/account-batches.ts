/** Opens many accounts with one request. Each has an outcome of its own. */
import { hash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { fromRpcStatus } from '@payflowx/chassis';
import type { CreateAccountResult } from '@payflowx/proto/authorization';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { ProblemError, problemBody, toProblem } from '../problems/problem.ts';
import { ACCOUNT_EXAMPLE, Account, accountJson } from '../schemas/account.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { named, ref } from '../schemas/named.ts';
import { NewAccount, newAccountMessage } from '../schemas/new-account.ts';
import { Problem } from '../schemas/problem.ts';

/** The body limit of the gateway allows 655 bytes for each. */
const MAX_ACCOUNTS = 100;

const NewAccounts = named(
  'NewAccounts',
  Type.Object(
    { accounts: Type.Array(ref(NewAccount), { minItems: 1, maxItems: MAX_ACCOUNTS }) },
    { additionalProperties: false },
  ),
);

const AccountOutcome = named(
  'AccountOutcome',
  Type.Object(
    { account: Type.Optional(ref(Account)), error: Type.Optional(ref(Problem)) },
    {
      description: 'Either the open account, or why it was not opened.',
      examples: [{ account: ACCOUNT_EXAMPLE }],
    },
  ),
);

const AccountOutcomes = named(
  'AccountOutcomes',
  Type.Object({
    data: Type.Array(ref(AccountOutcome), {
      description: 'One for each account, in the order of the request.',
    }),
  }),
);

export const accountBatchSchemas = [NewAccounts, AccountOutcome, AccountOutcomes];

interface Options {
  authorization: Neighbours['authorization'];
}

export const accountBatchRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { authorization }) => {
  app.post('/v1/accounts/batch', {
    config: { access: ['operator'], scope: 'accounts:write' },
    schema: {
      tags: ['accounts'],
      operationId: 'createAccounts',
      summary: 'Open up to 100 accounts',
      description:
        'A malformed account refuses the whole request. Any other error refuses its own account: look at each `error`. A retry with the same key opens no account twice, and gets the first responses. It must have exactly the same list, because each account is known by its place. The body has at most 64 KiB.',
      headers: optionalKey,
      body: ref(NewAccounts),
      response: { 200: ref(AccountOutcomes) },
    },
    handler: async (request) => {
      const key = hash('sha256', keyOf(request.headers), 'base64url');
      const items = request.body.accounts.map((account, index) =>
        newAccountMessage(account, `${key}:${index}`),
      );
      const { results } = await authorization.batchCreateAccounts({ items }, asCaller(request));
      return { data: results.map((result, index) => outcomeOf(result, index, request)) };
    },
  });
};

function outcomeOf(
  { result }: CreateAccountResult,
  index: number,
  request: FastifyRequest,
): Static<typeof AccountOutcome> {
  if (result?.$case === 'account') return { account: accountJson(result.value) };
  if (result?.$case !== 'error')
    throw new Error('The response of authorization has no result for an account.');
  const refusal = toProblem(fromRpcStatus(result.value));
  const { errors } = refusal.options;
  const within = errors?.map((error) => ({ ...error, pointer: `/accounts/${index}${error.pointer}` }));
  const options = { ...refusal.options, ...(within && { errors: within }) };
  const body = problemBody(
    new ProblemError(refusal.problem, refusal.message, options),
    request.url,
    request.id,
  );
  // The fault is the platform's, so the outcome is unknown: the client sends the same request again.
  if (body.status >= 500) throw refusal;
  return { error: body };
}
