/** Proves that the journal adds up and still matches its seal. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type GetProofResponse, ProofVerdict } from '@payflowx/proto/ledger';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { AnyAccountId, TransactionId } from '../schemas/ids.ts';
import { headJson, SealedHead } from '../schemas/journal.ts';
import { Currency, count, minorUnits } from '../schemas/money.ts';
import { named, nullable, ref } from '../schemas/named.ts';
import { PROOF_VERDICTS } from '../schemas/proof-verdict.ts';
import { time, timeJson } from '../schemas/text.ts';

const sides = (what: string) => Type.Object({ posted: minorUnits(what), held: minorUnits(what) });

const Proof = named(
  'Proof',
  Type.Object({
    holds: Type.Boolean({ description: 'True if all checks below pass: the verdict is `holds`.' }),
    verdict: PROOF_VERDICTS.schema,
    trial_balances: Type.Array(
      Type.Object({
        currency: ref(Currency),
        posted_sum: minorUnits('Sum over all accounts. If it is not 0, the proof fails.'),
        pending_sum: minorUnits('Sum over all accounts. If it is not 0, the proof fails.'),
        account_count: count('Accounts with entries in this currency.'),
      }),
    ),
    differences: Type.Array(
      Type.Object({
        account_id: ref(AnyAccountId),
        currency: ref(Currency),
        ledger: sides('Balance in the journal.'),
        authorization: sides('Balance in the authorization service.'),
        settled: Type.Boolean({
          description:
            'True if every event about the account was applied, and it still differs. False while one may be on its way.',
        }),
      }),
      {
        description:
          'Accounts that still have two different balances after they were compared again; at most 100 are listed, settled ones first.',
      },
    ),
    difference_count: count('Number of accounts with a difference.'),
    truncated: Type.Boolean({ description: 'True if there are more differences than are listed.' }),
    account_count: count('Accounts that were compared.'),
    stale_balance_count: count(
      'Accounts with a stored balance that differs from the sum of their entries. If it is not 0, the proof fails.',
    ),
    transaction_count: count('Transactions in the journal.'),
    entry_count: count('Entries in the journal.'),
    open_hold_count: count('Payments with money on hold.'),
    event_lag: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description:
        'Events that the ledger has not consumed yet, also those that are not published yet. While there are some, differences are expected. Null if payment or Kafka did not report it.',
    }),
    head: nullable(SealedHead, 'The newest sealed head; null before the first.'),
    unsealed_count: count('Transactions that are not sealed yet.'),
    first_broken: nullable(
      Type.Object({
        transaction_id: ref(TransactionId),
        detail: Type.String({ description: 'The error in words.' }),
      }),
      'The first transaction, in sealed order, that differs from its seal. If it is not null, the proof fails.',
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
    config: { access: ['operator', 'auditor'], scope: 'ledger:read', deadlineMs: PROOF_DEADLINE_MS },
    schema: {
      tags: ['ledger'],
      operationId: 'getProof',
      summary:
        'Recompute the whole journal, and compare it with the balances that authorization uses and with the seal',
      response: { 200: ref(Proof) },
    },
    handler: async (request) => proofJson(await ledger.getProof({}, asCaller(request))),
  });
};

function proofJson(proof: GetProofResponse): Static<typeof Proof> {
  return {
    holds: proof.holds,
    verdict: PROOF_VERDICTS.nameOf(verdictOf(proof)),
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
      settled: difference.settled,
    })),
    difference_count: proof.differenceCount,
    truncated: proof.truncated,
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

/** During an upgrade, a ledger of the previous version may answer without a verdict. */
function verdictOf({ verdict, holds }: GetProofResponse): ProofVerdict {
  if (verdict !== ProofVerdict.UNSPECIFIED) return verdict;
  return holds ? ProofVerdict.HOLDS : ProofVerdict.UNSETTLED;
}
