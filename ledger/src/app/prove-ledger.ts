/**
 * Proves the ledger: sums the whole journal again and compares it with its seal, the stored balances and the balances of
 * authorization.
 */
import { inTime } from '@payflowx/chassis';
import { endAtDeadline, withDeadlineError } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Accounts } from '../clients/accounts.ts';
import { type AccountsProof, accountsProof, isBalanced, type Verdict, verdictOf } from '../domain/proof.ts';
import { storeAuthorized } from '../store/authorized-balances.ts';
import type { Database } from '../store/database.ts';
import {
  compareAccounts,
  countJournal,
  type JournalCounts,
  PROOF_STATEMENT_TIMEOUT_MS,
} from '../store/proof.ts';
import { atOneMoment } from '../store/snapshot.ts';
import { checkSeal, type SealCheck } from './check-seal.ts';
import { type SettledDifference, type SettlingDeps, settleDifferences } from './settle-differences.ts';

export interface ProofDeps extends SettlingDeps {
  db: Kysely<Database>;
  accounts: Pick<Accounts, 'listBalances'>;
  /** The number of events that are not consumed yet: in payment's outbox and in the topic. */
  eventLag: () => Promise<bigint>;
  now: () => Date;
}

export interface Proof extends Omit<AccountsProof, 'differences'>, JournalCounts, SealCheck {
  verdict: Verdict;
  /** True exactly if the verdict is `holds`. */
  holds: boolean;
  /** Settled ones first, then by account id, at most `MAX_LISTED`. */
  differences: SettledDifference[];
  /** True if there are more differences than are listed. */
  truncated: boolean;
  /** -1n if payment or Kafka did not answer. */
  eventLag: bigint;
  provedAt: Date;
}

const MAX_LISTED = 100;
const LAG_UNKNOWN = -1n;
const LAG_DEADLINE_MS = 3_000;

/**
 * While money moves, the two services differ for a moment, because authorization changes first. So the proof reads authorization
 * first, then the lag, then the journal. Accounts that differ are then compared again.
 *
 * Throws DEADLINE_EXCEEDED.
 */
export function proveLedger(deps: ProofDeps, limits: { deadline: Date }): Promise<Proof> {
  return withDeadlineError(limits, () =>
    deps.db.connection().execute((connection) => proveOn(connection, deps, limits)),
  );
}

async function proveOn(
  connection: Kysely<Database>,
  deps: ProofDeps,
  limits: { deadline: Date },
): Promise<Proof> {
  const { accounts, eventLag, now } = deps;
  await storeAuthorized(connection, accounts.listBalances(limits));
  // The lag only explains differences, so the proof works without Kafka and without payment.
  const lag = await inTime(eventLag(), LAG_DEADLINE_MS, () => LAG_UNKNOWN).catch(() => LAG_UNKNOWN);
  const statements = { ...limits, maxStatementMs: PROOF_STATEMENT_TIMEOUT_MS };
  const { counts, seal, balances } = await atOneMoment(connection, async (snapshot) => {
    await endAtDeadline(snapshot, statements);
    const counts = await countJournal(snapshot);
    const seal = await checkSeal(snapshot, counts, limits);
    await endAtDeadline(snapshot, statements);
    const proof = accountsProof();
    for await (const account of compareAccounts(snapshot)) proof.add(account);
    return { counts, seal, balances: proof.finish() };
  });
  const { differences: first, ...sums } = balances;
  const left = await settleDifferences(connection, deps, first, limits);
  const result = {
    isConsistent:
      sums.trialBalances.every(isBalanced) && sums.staleBalanceCount === 0n && seal.brokenDetail === '',
    differenceCount: sums.differenceCount - BigInt(first.length - left.length),
    differences: left,
  };
  const verdict = verdictOf(result);
  return {
    ...{ ...sums, ...counts, ...seal, verdict, holds: verdict === 'holds', eventLag: lag, provedAt: now() },
    differenceCount: result.differenceCount,
    differences: left.toSorted(bySettled).slice(0, MAX_LISTED),
    truncated: result.differenceCount > MAX_LISTED,
  };
}

function bySettled(a: SettledDifference, b: SettledDifference): number {
  return Number(b.isSettled) - Number(a.isSettled) || (a.accountId < b.accountId ? -1 : 1);
}
