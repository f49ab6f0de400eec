/** The journal: what moved, what is there because of it, and the proof that it adds up. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Direction, type Entry as EntryMessage, type GetProofResponse, Layer } from '@payflowx/proto/ledger';
import { type Static, Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { AnyAccountId, PaymentId, pathId, TransactionId } from '../schemas/ids.ts';
import { Currency, count, minorUnits } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { time, timeInput, timeJson, timeOf } from '../schemas/text.ts';
import { wireNames } from '../schemas/wire-names.ts';

const LAYERS = wireNames('Which book: money that is promised, or money that has moved.', {
  [Layer.PENDING]: 'pending',
  [Layer.POSTED]: 'posted',
});

const DIRECTIONS = wireNames('A debit leaves the account, a credit enters it.', {
  [Direction.DEBIT]: 'debit',
  [Direction.CREDIT]: 'credit',
});

const Entry = named(
  'Entry',
  Type.Object({
    id: Type.String(),
    transaction_id: ref(TransactionId),
    account_id: ref(AnyAccountId),
    direction: DIRECTIONS.schema,
    amount: minorUnits('Greater than 0.'),
    currency: ref(Currency),
    layer: LAYERS.schema,
    payment_id: ref(PaymentId),
    created_at: time('When the event that caused it happened.'),
  }),
);
const EntryPage = pageOf('EntryPage', Entry);

const Transaction = named(
  'Transaction',
  Type.Object({
    id: ref(TransactionId),
    event_id: Type.String(),
    event_type: Type.String({ examples: ['payment.completed'] }),
    payment_id: ref(PaymentId),
    created_at: time('When the event happened.'),
    entries: Type.Array(ref(Entry), { description: 'Both sides of every posting.' }),
  }),
);

const LedgerBalance = named(
  'LedgerBalance',
  Type.Object({
    account_id: ref(AnyAccountId),
    posted: minorUnits('Credits minus debits of what has moved.'),
    pending: minorUnits(
      'Credits minus debits of what is promised: negative where the account’s own money is held.',
    ),
    at: time('The moment it holds for.'),
  }),
);

const sides = (what: string) => Type.Object({ posted: minorUnits(what), held: minorUnits(what) });

const Proof = named(
  'Proof',
  Type.Object({
    holds: Type.Boolean({ description: 'Whether everything below adds up.' }),
    trial_balances: Type.Array(
      Type.Object({
        currency: ref(Currency),
        posted_sum: minorUnits('Of all accounts: 0, or the proof fails.'),
        pending_sum: minorUnits('Of all accounts: 0, or the proof fails.'),
        account_count: count('Accounts with entries in this currency.'),
      }),
    ),
    differences: Type.Array(
      Type.Object({
        account_id: ref(AnyAccountId),
        currency: ref(Currency),
        ledger: sides('By the journal.'),
        authorization: sides('By the authorization service.'),
      }),
      { description: 'Accounts whose two balances differ; at most 100 are listed.' },
    ),
    difference_count: count('How many differ in all.'),
    account_count: count('Accounts that were compared.'),
    stale_balance_count: count(
      'Accounts whose kept balance is not what the journal folds to: 0, or the proof fails.',
    ),
    transaction_count: count('Transactions in the journal.'),
    entry_count: count('Entries in the journal.'),
    open_hold_count: count('Payments with money on hold.'),
    event_lag: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description:
        'Events that the ledger has still to consume: while there are some, differences are expected; null if Kafka did not say.',
    }),
    proved_at: time('When the proof was made.'),
  }),
);

export const ledgerSchemas = [Entry, EntryPage, Transaction, LedgerBalance, Proof];

/** Folding a whole journal takes its time. */
const PROOF_DEADLINE_MS = 30_000;

export const ledgerRoutes: FastifyPluginAsyncTypebox<{ ledger: Neighbours['ledger'] }> = async (
  app,
  { ledger },
) => {
  app.get('/v1/ledger/entries', {
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['ledger'],
      operationId: 'listEntries',
      summary: 'List entries, newest first: of a customer’s own accounts, all for operators and auditors',
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
      response: { 200: ref(EntryPage) },
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
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['ledger'],
      operationId: 'getTransaction',
      summary: 'One transaction of the journal with its entries',
      params: pathId(ref(TransactionId)),
      response: { 200: ref(Transaction) },
    },
    handler: async (request) => {
      const message = { transactionId: request.params.id };
      const { transaction } = await ledger.getTransaction(message, asCaller(request));
      if (!transaction) throw new Error('The ledger answered without a transaction.');
      return {
        id: transaction.id,
        event_id: transaction.eventId,
        event_type: transaction.eventType,
        payment_id: transaction.paymentId,
        created_at: timeJson(transaction.createdAt),
        entries: transaction.entries.map(entryJson),
      };
    },
  });

  app.get('/v1/ledger/accounts/:id/balance', {
    config: { access: EVERY_ROLE },
    schema: {
      tags: ['ledger'],
      operationId: 'getLedgerBalance',
      summary: 'An account’s balance folded from its entries, now or at a moment',
      params: pathId(ref(AnyAccountId)),
      querystring: query({ at: Type.Optional(timeInput('Up to and including this moment.')) }),
      response: { 200: ref(LedgerBalance) },
    },
    handler: async (request) => {
      const { id } = request.params;
      const message = { accountId: id, at: timeOf('/at', request.query.at) };
      const { postedMinor, pendingMinor, at } = await ledger.getAccountBalance(message, asCaller(request));
      return { account_id: id, posted: postedMinor, pending: pendingMinor, at: timeJson(at) };
    },
  });

  app.get('/v1/ledger/proof', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['ledger'],
      operationId: 'getProof',
      summary: 'Fold the whole journal anew and compare it with the balances that payments are decided on',
      response: { 200: ref(Proof) },
    },
    handler: async (request) => proofJson(await ledger.getProof({}, asCaller(request, PROOF_DEADLINE_MS))),
  });
};

function entryJson(entry: EntryMessage): Static<typeof Entry> {
  return {
    id: entry.id,
    transaction_id: entry.transactionId,
    account_id: entry.accountId,
    direction: DIRECTIONS.nameOf(entry.direction),
    amount: entry.amountMinor,
    currency: entry.currency,
    layer: LAYERS.nameOf(entry.layer),
    payment_id: entry.paymentId,
    created_at: timeJson(entry.createdAt),
  };
}

function proofJson(proof: GetProofResponse): Static<typeof Proof> {
  return {
    holds: proof.holds,
    trial_balances: proof.trialBalances.map((trial) => ({
      currency: trial.currency,
      posted_sum: trial.postedSumMinor,
      pending_sum: trial.pendingSumMinor,
      account_count: trial.accountCount,
    })),
    differences: proof.differences.map((difference) => ({
      account_id: difference.accountId,
      currency: difference.currency,
      ledger: { posted: difference.ledgerPostedMinor, held: difference.ledgerHeldMinor },
      authorization: { posted: difference.authorizationPostedMinor, held: difference.authorizationHeldMinor },
    })),
    difference_count: proof.differenceCount,
    account_count: proof.accountCount,
    stale_balance_count: proof.staleBalanceCount,
    transaction_count: proof.transactionCount,
    entry_count: proof.entryCount,
    open_hold_count: proof.openHoldCount,
    event_lag: proof.eventLag < 0n ? null : Number(proof.eventLag),
    proved_at: timeJson(proof.provedAt),
  };
}
