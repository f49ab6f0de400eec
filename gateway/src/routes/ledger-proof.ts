/** Proves that the journal adds up and still matches its seal. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { GetProofResponse } from '@payflowx/proto/ledger';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { AnyAccountId, TransactionId } from '../schemas/ids.ts';
import { headJson, SealedHead } from '../schemas/journal.ts';
import { Currency, count, minorUnits } from '../schemas/money.ts';
import { named, nullable, ref } from '../schemas/named.ts';
import { time, timeJson } from '../schemas/text.ts';

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
    head: nullable(SealedHead, 'The newest head that was sealed; null before the first.'),
    unsealed_count: count('Transactions that are not sealed yet.'),
    first_broken: nullable(
      Type.Object({
        transaction_id: ref(TransactionId),
        detail: Type.String({ description: 'What is wrong with it, in words.' }),
      }),
      'The first transaction, in sealed order, that is not what was sealed: null, or the proof fails.',
    ),
    proved_at: time('When the proof was made.'),
  }),
);

export const ledgerProofSchemas = [Proof];

/** Recomputing a whole journal is slow: some 30 s for a million transactions on two cores. */
const PROOF_DEADLINE_MS = 120_000;

interface Options {
  ledger: Neighbours['ledger'];
}

export const ledgerProofRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { ledger }) => {
  app.get('/v1/ledger/proof', {
    config: { access: ['operator', 'auditor'], deadlineMs: PROOF_DEADLINE_MS },
    schema: {
      tags: ['ledger'],
      operationId: 'getProof',
      summary:
        'Fold the whole journal anew, compare it with the balances that payments are decided on, and with what was sealed',
      response: { 200: ref(Proof) },
    },
    handler: async (request) => proofJson(await ledger.getProof({}, asCaller(request))),
  });
};

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
    head: proof.head ? headJson(proof.head) : null,
    unsealed_count: proof.unsealedCount,
    first_broken:
      proof.firstBrokenTransactionId === ''
        ? null
        : { transaction_id: proof.firstBrokenTransactionId, detail: proof.brokenDetail },
    proved_at: timeJson(proof.provedAt),
  };
}
