/** Totals of payments. They lag behind the payments by a moment. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { sumOf } from '@payflowx/chassis';
import type {
  AccountTotals as AccountTotalsMessage,
  Totals as TotalsMessage,
} from '@payflowx/proto/analytics';
import { type Static, Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { AnyAccountId, pathId } from '../schemas/ids.ts';
import { Currency, count, minorSum } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { query } from '../schemas/page.ts';
import { dayInput, nullableTimeJson } from '../schemas/text.ts';

const totals = {
  currency: ref(Currency),
  initiated_count: count('Payments that were requested.'),
  completed_count: count('Payments that ended and moved money.'),
  failed_count: count('Payments that were declined.'),
  cancelled_count: count('Payments that were cancelled before any capture.'),
  expired_count: count('Payments that expired before any capture.'),
  refund_count: count('Number of refunds, not of refunded payments.'),
  amount_captured: minorSum('The amount that moved from payers to receivers.'),
  amount_refunded: minorSum('The amount that was refunded.'),
  success_rate: Type.Unsafe<number | null>({
    type: ['number', 'null'],
    description: 'completed / (completed + failed), 0 to 1; null if no payment has ended.',
  }),
};

const Summary = named(
  'Summary',
  Type.Object({
    data: Type.Array(Type.Object(totals), { description: 'One item for each currency.' }),
    as_of: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'The time of the newest counted event; null if there is none.',
    }),
  }),
);

const DailyTotals = named(
  'DailyTotals',
  Type.Object({
    data: Type.Array(
      Type.Object({ day: Type.String({ format: 'date', description: 'A day in UTC.' }), ...totals }),
      {
        description: 'Days and currencies with at least one event, oldest first.',
      },
    ),
    next_cursor: Type.Null({ description: 'Always null: a response has the whole range.' }),
  }),
);

const AccountTotals = named(
  'AccountTotals',
  Type.Object({
    account_id: ref(AnyAccountId),
    data: Type.Array(
      Type.Object({
        currency: ref(Currency),
        sent_count: count('Payments that left the account.'),
        amount_sent: minorSum('Their sum.'),
        received_count: count('Payments that reached the account.'),
        amount_received: minorSum('Their sum.'),
        failed_count: count('Declined payments of this account.'),
      }),
      { description: 'One item for each currency; an account has one currency.' },
    ),
  }),
);

export const analyticsSchemas = [Summary, DailyTotals, AccountTotals];

const currencyFilter = { currency: Type.Optional(ref(Currency)) };

interface Options {
  analytics: Neighbours['analytics'];
}

export const analyticsRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { analytics }) => {
  app.get('/v1/analytics/summary', {
    config: { access: ['operator', 'auditor'], scope: 'analytics:read' },
    schema: {
      tags: ['analytics'],
      operationId: 'getSummary',
      summary: 'Get totals of all time by currency',
      querystring: query(currencyFilter),
      response: { 200: ref(Summary) },
    },
    handler: async (request) => {
      const { currency = '' } = request.query;
      const summary = await analytics.getSummary({ currency }, asCaller(request));
      return { data: summary.totals.map(totalsJson), as_of: nullableTimeJson(summary.asOf) };
    },
  });

  app.get('/v1/analytics/daily', {
    config: { access: ['operator', 'auditor'], scope: 'analytics:read' },
    schema: {
      tags: ['analytics'],
      operationId: 'listDailyTotals',
      summary: 'List totals by day and currency in a range of days',
      querystring: query({
        ...currencyFilter,
        from: Type.Optional(dayInput('First day, UTC; 30 days before `to` if absent.')),
        to: Type.Optional(
          dayInput('Last day, inclusive, UTC; today if absent. At most 366 days after `from`.'),
        ),
      }),
      response: { 200: ref(DailyTotals) },
    },
    handler: async (request) => {
      const { currency = '', from = '', to = '' } = request.query;
      const { days } = await analytics.listDailyTotals({ currency, from, to }, asCaller(request));
      return { data: days.map(({ day, totals }) => ({ day, ...totalsJson(totals) })), next_cursor: null };
    },
  });

  app.get('/v1/analytics/accounts/:id', {
    config: { access: EVERY_ROLE, scope: 'analytics:read' },
    schema: {
      tags: ['analytics'],
      operationId: 'getAccountTotals',
      summary: 'Get the totals that an account sent and received',
      params: pathId(ref(AnyAccountId)),
      querystring: query(currencyFilter),
      response: { 200: ref(AccountTotals), 404: problem(['ACCOUNT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { id } = request.params;
      const { currency } = request.query;
      const { totals } = await analytics.getAccountTotals({ accountId: id }, asCaller(request));
      const found = totals && (currency === undefined || currency === totals.currency);
      return { account_id: id, data: found ? [accountTotalsJson(totals)] : [] };
    },
  });
};

function totalsJson(
  message: TotalsMessage | undefined,
): Static<ReturnType<typeof Type.Object<typeof totals>>> {
  if (!message) throw new Error('The response of analytics has no totals.');
  return {
    currency: message.currency,
    initiated_count: message.initiatedCount,
    completed_count: message.completedCount,
    failed_count: message.failedCount,
    cancelled_count: message.cancelledCount,
    expired_count: message.expiredCount,
    refund_count: message.refundCount,
    amount_captured: sumOf(message.capturedSum, message.capturedMinor).toString(),
    amount_refunded: sumOf(message.refundedSum, message.refundedMinor).toString(),
    success_rate: message.successRate ?? null,
  };
}

function accountTotalsJson(message: AccountTotalsMessage) {
  return {
    currency: message.currency,
    sent_count: message.sentCount,
    amount_sent: sumOf(message.sentSum, message.sentMinor).toString(),
    received_count: message.receivedCount,
    amount_received: sumOf(message.receivedSum, message.receivedMinor).toString(),
    failed_count: message.failedCount,
  };
}
