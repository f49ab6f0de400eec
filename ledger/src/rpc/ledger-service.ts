/** LedgerService: decode, act, encode. */
import { type BoundService, bindService, type Call, requireCaller, sharedRuns } from '@payflowx/chassis';
import { LedgerServiceService } from '@payflowx/proto/ledger';
import { roundedDown } from '@payflowx/proto/timestamp';
import type { Kysely } from 'kysely';
import type { AccessDeps, VerifiedCall } from '../app/account-access.ts';
import { getAccountBalance } from '../app/get-account-balance.ts';
import { getLastProof, keepLastProof } from '../app/get-last-proof.ts';
import { getReceipt } from '../app/get-receipt.ts';
import { getSealedHead } from '../app/get-sealed-head.ts';
import { getStatement } from '../app/get-statement.ts';
import { getTransaction } from '../app/get-transaction.ts';
import { listEntries } from '../app/list-entries.ts';
import { watchProofs } from '../app/proof-metrics.ts';
import { type Proof, type ProofDeps, proveLedger } from '../app/prove-ledger.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import {
  currencyFrom,
  directionFrom,
  layerFrom,
  toEntry,
  toHead,
  toProof,
  toProofSummary,
  toReceipt,
  toTransaction,
} from './convert.ts';
import { errors } from './errors.ts';

export type LedgerServiceDeps = AccessDeps &
  ProofDeps & {
    /** A separate pool for proofs, so that they cannot take the connections of the consumer and of readers. */
    proofDb: Kysely<Database>;
  };

/** A proof has no parameters, so all callers that wait share the next one. */
const PROOF_KEY = 'proof';
const MAX_WAITING_FOR_PROOF = 100;
const PROOF_RETRY_AFTER_MS = 10_000;

export function ledgerService(deps: LedgerServiceDeps): BoundService {
  const proofs = sharedRuns<Proof>({
    maxQueued: 1,
    maxCallers: MAX_WAITING_FOR_PROOF,
    retryAfterMs: PROOF_RETRY_AFTER_MS,
  });
  const watch = watchProofs();
  const prove = async (limits: { deadline: Date }) => {
    const proof = await proveLedger({ ...deps, db: deps.proofDb }, limits);
    watch.note(proof);
    await keepLastProof(deps.db, proof);
    return proof;
  };
  return bindService(LedgerServiceService, {
    access,
    errors,
    // It reads the whole journal.
    longestMs: { getProof: 10 * 60_000 },
    handlers: {
      async listEntries(request, call) {
        const { entries, nextPageToken } = await listEntries(deps, verified(call), {
          pageSize: request.pageSize,
          pageToken: request.pageToken,
          accountId: request.accountId || undefined,
          paymentId: request.paymentId || undefined,
          layer: layerFrom(request.layer),
          direction: directionFrom(request.direction),
          currency: currencyFrom(request.currency),
          createdAfter: request.createdAfter,
          createdBefore: request.createdBefore,
        });
        return { entries: entries.map(toEntry), nextPageToken };
      },
      async getTransaction({ transactionId }, call) {
        return { transaction: toTransaction(await getTransaction(deps, verified(call), transactionId)) };
      },
      async getAccountBalance({ accountId, at }, call) {
        return getAccountBalance(deps, verified(call), { accountId, at: at && roundedDown(at) });
      },
      async getStatement(request, call) {
        const { lines, ...statement } = await getStatement(deps, verified(call), request);
        return {
          ...statement,
          lines: lines.map(({ entry, balanceMinor }) => ({ entry: toEntry(entry), balanceMinor })),
        };
      },
      async getSealedHead() {
        return { head: toHead(await getSealedHead(deps)) };
      },
      async getReceipt(request, call) {
        return toReceipt(await getReceipt(deps, verified(call), request));
      },
      async getProof(_, call) {
        return toProof(await proofs.run(PROOF_KEY, call.deadline, prove));
      },
      async getLastProof() {
        const proof = await getLastProof(deps);
        return { proof: proof && toProofSummary(proof) };
      },
    },
  });
}

function verified(call: Call): VerifiedCall {
  return { caller: requireCaller(call), accessToken: call.accessToken, deadline: call.deadline };
}
