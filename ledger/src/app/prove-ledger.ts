/**
 * Proves the ledger: sums the whole journal again and compares it with its seal, the stored balances and the balances of
 * authorization.
 */
import { inTime } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Accounts } from '../clients/accounts.ts';
import { type AccountsProof, accountsProof, isBalanced } from '../domain/proof.ts';
import type { Database } from '../store/database.ts';
import { countJournal, foldAccounts, type JournalCounts } from '../store/proof.ts';
import { atOneMoment } from '../store/snapshot.ts';
import { checkSeal, type SealCheck } from './check-seal.ts';

export interface ProofDeps {
  db: Kysely<Database>;
  accounts: Pick<Accounts, 'listBalances'>;
  /** The number of events that are not consumed yet: in payment's outbox and in the topic. */
  eventLag: () => Promise<bigint>;
  now: () => Date;
}

export interface Proof extends AccountsProof, JournalCounts, SealCheck {
  holds: boolean;
  /** -1n if payment or Kafka did not answer. */
  eventLag: bigint;
  provedAt: Date;
}

const LAG_UNKNOWN = -1n;
const LAG_DEADLINE_MS = 3_000;

/**
 * While money moves, the two services differ for a moment, because authorization changes first. So the proof reads authorization
 * first, then the lag, then the journal. If the lag is 0, the journal has every event that payment had stored until then.
 */
export async function proveLedger(
  { db, accounts, eventLag, now }: ProofDeps,
  limits: { deadline: Date },
): Promise<Proof> {
  const proof = accountsProof();
  for await (const balance of accounts.listBalances(limits)) proof.addAuthorized(balance);
  // The lag only explains differences, so the proof works without Kafka and without payment.
  const lag = await inTime(eventLag(), LAG_DEADLINE_MS, () => LAG_UNKNOWN).catch(() => LAG_UNKNOWN);
  const { counts, seal } = await atOneMoment(db, async (snapshot) => {
    const counts = await countJournal(snapshot);
    const seal = await checkSeal(snapshot, counts, limits);
    for await (const account of foldAccounts(snapshot)) proof.addFolded(account);
    return { counts, seal };
  });
  const proven = proof.finish();
  const holds =
    proven.trialBalances.every(isBalanced) &&
    proven.differenceCount === 0n &&
    proven.staleBalanceCount === 0n &&
    seal.brokenDetail === '';
  return { holds, eventLag: lag, provedAt: now(), ...proven, ...counts, ...seal };
}
