/** Proves the ledger: folds the whole journal anew and holds it against its seal, the kept balances and the authorization service's. */
import { inTime } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Accounts } from '../clients/accounts.ts';
import { type AccountsProof, accountsProof, isBalanced } from '../domain/proof.ts';
import type { Database } from '../store/database.ts';
import { countJournal, foldAccounts, inSnapshot, type JournalCounts } from '../store/proof.ts';
import { checkSeal, type SealCheck } from './check-seal.ts';

export interface ProofDeps {
  db: Kysely<Database>;
  accounts: Pick<Accounts, 'listBalances'>;
  /** Events of the topic that are not consumed yet. */
  eventLag: () => Promise<bigint>;
  now: () => Date;
}

export interface Proof extends AccountsProof, JournalCounts, SealCheck {
  holds: boolean;
  /** -1n: Kafka did not say. */
  eventLag: bigint;
  provedAt: Date;
}

const LAG_UNKNOWN = -1n;
const LAG_DEADLINE_MS = 3_000;

/**
 * Money that moves meanwhile makes the two services differ for a moment: authorization knows it first. Authorization is read
 * first, then the lag, then the journal; so where the lag is 0, the journal has every event that was published until then.
 */
export async function proveLedger(
  { db, accounts, eventLag, now }: ProofDeps,
  limits: { deadline: Date },
): Promise<Proof> {
  const proof = accountsProof();
  for await (const balance of accounts.listBalances(limits)) proof.addAuthorized(balance);
  // The lag explains differences; without Kafka the proof can do without the explanation.
  const lag = await inTime(eventLag(), LAG_DEADLINE_MS, () => LAG_UNKNOWN).catch(() => LAG_UNKNOWN);
  const { counts, seal } = await inSnapshot(db, async (snapshot) => {
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
