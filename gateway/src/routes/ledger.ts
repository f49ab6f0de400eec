/** The journal: its entries and transactions, and the balances that follow from them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Direction, Layer } from '@payflowx/proto/ledger';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { AnyAccountId, PaymentId, pathId, TransactionId } from '../schemas/ids.ts';
import { DIRECTIONS, Entry, entryJson, LAYERS, Transaction, transactionJson } from '../schemas/journal.ts';
import { Currency, minorUnits } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { time, timeInput, timeJson, timeOf } from '../schemas/text.ts';

const EntryPage = pageOf('EntryPage', Entry);

const LedgerBalance = named(
  'LedgerBalance',
  Type.Object({
    account_id: ref(AnyAccountId),
    posted: minorUnits('Credits minus debits of money that has moved.'),
    pending: minorUnits('Credits minus debits of held money: negative if the account’s own money is held.'),
    at: time('The time of this balance.'),
  }),
);

export const ledgerSchemas = [Entry, EntryPage, Transaction, LedgerBalance];

export const ledgerRoutes: FastifyPluginAsyncTypebox<{ ledger: Neighbours['ledger'] }> = async (
  app,
  { ledger },
) => {
  app.get('/v1/ledger/entries', {
    config: { access: EVERY_ROLE, scope: 'ledger:read' },
    schema: {
      tags: ['ledger'],
      operationId: 'listEntries',
      summary:
        'List entries, newest first: customers see those of their own accounts, operators and auditors see all',
      querystring: query({
        ...pageQuery,
        account_id: Type.Optional(ref(AnyAccountId)),
        payment_id: Type.Optional(ref(PaymentId)),
        layer: Type.Optional(LAYERS.schema),
        direction: Type.Optional(DIRECTIONS.schema),
        currency: Type.Optional(ref(Currency)),
        created_after: Type.Optional(timeInput('Created at or after.')),
        created_before: Type.Optional(timeInput('Created before.')),
      }),
      response: { 200: ref(EntryPage), 404: problem(['ACCOUNT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { account_id = '', payment_id = '', layer, direction, currency = '' } = request.query;
      const message = {
        ...pageRequest(request.query),
        accountId: account_id,
        paymentId: payment_id,
        layer: layer ? LAYERS.numberOf(layer) : Layer.UNSPECIFIED,
        direction: direction ? DIRECTIONS.numberOf(direction) : Direction.UNSPECIFIED,
        currency,
        createdAfter: timeOf('/created_after', request.query.created_after),
        createdBefore: timeOf('/created_before', request.query.created_before),
      };
      const page = await ledger.listEntries(message, asCaller(request));
      return pageJson(page.entries.map(entryJson), page.nextPageToken);
    },
  });

  app.get('/v1/ledger/transactions/:id', {
    config: { access: EVERY_ROLE, scope: 'ledger:read' },
    schema: {
      tags: ['ledger'],
      operationId: 'getTransaction',
      summary: 'Get a transaction of the journal with its entries',
      params: pathId(ref(TransactionId)),
      response: { 200: ref(Transaction), 404: problem(['TRANSACTION_NOT_FOUND']) },
    },
    handler: async (request) => {
      const message = { transactionId: request.params.id };
      const { transaction } = await ledger.getTransaction(message, asCaller(request));
      return transactionJson(transaction);
    },
  });

  app.get('/v1/ledger/accounts/:id/balance', {
    config: { access: EVERY_ROLE, scope: 'ledger:read' },
    schema: {
      tags: ['ledger'],
      operationId: 'getLedgerBalance',
      summary: 'Get an account’s balance from the journal, now or at a given time',
      params: pathId(ref(AnyAccountId)),
      querystring: query({ at: Type.Optional(timeInput('Up to and including this time.')) }),
      response: { 200: ref(LedgerBalance), 404: problem(['ACCOUNT_NOT_FOUND']) },
    },
    handler: async (request) => {
      const { id } = request.params;
      const message = { accountId: id, at: timeOf('/at', request.query.at, { rounding: 'down' }) };
      const { postedMinor, pendingMinor, at } = await ledger.getAccountBalance(message, asCaller(request));
      return { account_id: id, posted: postedMinor, pending: pendingMinor, at: timeJson(at) };
    },
  });
};
