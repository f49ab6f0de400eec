/** Tries a rule on past payments. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { PaymentId } from '../schemas/ids.ts';
import { count } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { expressionInput } from '../schemas/rule.ts';
import { emptyAsNull, nullableText, timeInput, timeOf } from '../schemas/text.ts';

const NewBacktest = named(
  'NewBacktest',
  Type.Object(
    {
      expression: expressionInput,
      from: Type.Optional(timeInput('Only decisions at or after this time; a day before `to` if absent.')),
      to: Type.Optional(timeInput('Only decisions before this time; now if absent.')),
    },
    { additionalProperties: false },
  ),
);

const Backtest = named(
  'Backtest',
  Type.Object({
    tried_count: count(
      'Payments that the expression was tried on: the newest of the period, at most 100,000.',
    ),
    matched_count: count('Payments for which the expression is true.'),
    newly_declined_count: count('Approved payments that a rule with this expression would have declined.'),
    error_count: count('Payments for which the expression failed. The rule would have declined them too.'),
    sample_payment_ids: Type.Array(ref(PaymentId), {
      description: 'Some of the newly declined payments, newest first, at most 20.',
    }),
    first_error: nullableText('The first failure in words; null if there was none.'),
    truncated: Type.Boolean({
      examples: [false],
      description: 'True if the period has more payments than were tried.',
    }),
  }),
);

export const backtestSchemas = [NewBacktest, Backtest];

/** A backtest reads and tries up to 100,000 payments. */
const BACKTEST_DEADLINE_MS = 30_000;

interface Options {
  rules: Neighbours['rules'];
}

export const backtestRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { rules }) => {
  app.post('/v1/rules/backtest', {
    config: { access: ['operator', 'auditor'], scope: 'rules:read', deadlineMs: BACKTEST_DEADLINE_MS },
    schema: {
      tags: ['rules'],
      operationId: 'backtestRule',
      summary: 'Try an expression on the payments of a period, with the data of that time; writes nothing',
      body: ref(NewBacktest),
      response: { 200: ref(Backtest) },
    },
    handler: async (request) => {
      const { expression, from, to } = request.body;
      const period = {
        from: timeOf('/from', from, { place: 'body' }),
        to: timeOf('/to', to, { place: 'body' }),
      };
      const result = await rules.backtestRule({ expression, ...period }, asCaller(request));
      return {
        tried_count: result.triedCount,
        matched_count: result.matchedCount,
        newly_declined_count: result.newlyDeclinedCount,
        error_count: result.errorCount,
        sample_payment_ids: result.samplePaymentIds,
        first_error: emptyAsNull(result.firstError),
        truncated: result.truncated,
      };
    },
  });
};
