/** Deposits and withdrawals: operators move money between an account and the external account. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import { answerCreation } from '../answers/payment-answer.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { requiredKey } from '../schemas/idempotency.ts';
import { AccountId } from '../schemas/ids.ts';
import { Amount, Currency } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { Payment } from '../schemas/payment.ts';
import { text } from '../schemas/text.ts';
import { refusals } from './payments.ts';

const NewTransfer = named(
  'NewTransfer',
  Type.Object(
    {
      account_id: ref(AccountId),
      amount: ref(Amount),
      currency: ref(Currency),
      reference: Type.Optional(text(100, 'A reference for the operator’s systems.', 'transfer-4711')),
    },
    { additionalProperties: false, description: 'A deposit or a withdrawal.' },
  ),
);

export const transferSchemas = [NewTransfer];

const OTHERS_ONLY = 'An operator who owns the account gets 403 `OWN_ACCOUNT`: another operator must do it.';

interface Options {
  payment: Neighbours['payment'];
}

export const transferRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { payment }) => {
  app.post('/v1/deposits', {
    config: { access: ['operator'], scope: 'deposits:write' },
    schema: {
      tags: ['payments'],
      operationId: 'createDeposit',
      summary: 'Move money from the external account to an account',
      description: OTHERS_ONLY,
      headers: requiredKey,
      body: ref(NewTransfer),
      response: { 201: ref(Payment), 202: ref(Payment), ...refusals },
    },
    handler: async (request, reply) => {
      const message = transferMessage(request.body, request.headers['idempotency-key']);
      return answerCreation(await payment.createDeposit(message, asCaller(request)), reply);
    },
  });

  app.post('/v1/withdrawals', {
    config: { access: ['operator'], scope: 'withdrawals:write' },
    schema: {
      tags: ['payments'],
      operationId: 'createWithdrawal',
      summary: 'Move money from an account to the external account',
      description: OTHERS_ONLY,
      headers: requiredKey,
      body: ref(NewTransfer),
      response: { 201: ref(Payment), 202: ref(Payment), ...refusals },
    },
    handler: async (request, reply) => {
      const message = transferMessage(request.body, request.headers['idempotency-key']);
      return answerCreation(await payment.createWithdrawal(message, asCaller(request)), reply);
    },
  });
};

function transferMessage(body: Static<typeof NewTransfer>, key: string) {
  return {
    requestId: key,
    accountId: body.account_id,
    amountMinor: BigInt(body.amount),
    currency: body.currency,
    reference: body.reference ?? '',
  };
}
