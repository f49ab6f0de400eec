/**
 * Compares differing accounts again. Money moves during a proof, and authorization changes first, so a first difference says little.
 * A difference is settled if the account still differs after every event about it was applied, and neither side changed meanwhile.
 */
import type { TopicEnds } from '@payflowx/chassis/kafka';
import type { Kysely } from 'kysely';
import type { Accounts } from '../clients/accounts.ts';
import type { BalanceDifference } from '../domain/proof.ts';
import { listStoredBalances } from '../store/balances.ts';
import type { Database } from '../store/database.ts';

/** Tells when every event about an account is applied. All methods reject if payment or Kafka does not answer. */
export interface EventProgress {
  /** Those of the accounts with a payment without an outcome, or with an event that is not published yet. */
  unfinishedAmong(accountIds: readonly string[]): Promise<ReadonlySet<string>>;
  ends(): Promise<TopicEnds>;
  hasPassed(ends: TopicEnds): Promise<boolean>;
}

export interface SettlingDeps {
  accounts: Pick<Accounts, 'listBalances'>;
  progress: EventProgress;
  pause(ms: number): Promise<unknown>;
}

export interface SettledDifference extends BalanceDifference {
  /** False: an event about the account may be on its way. */
  isSettled: boolean;
}

/** The maximum number of times that an account is read again. */
const READINGS = 6;
/** Longer than the pace of the consumer and its commits together, so that most events of the last reading are applied. */
const GAP_MS = 400;
/** No further reading starts if the caller waits for less than this. */
const LEAST_LEFT_MS = 5_000;
/** The maximum number of account ids in one request to a service. */
const CHUNK = 500;

interface Suspect extends SettledDifference {
  /** True if neither side changed between the last two readings. */
  isStill: boolean;
}

/** Returns the accounts that still differ, with their newest figures. */
export async function settleDifferences(
  db: Kysely<Database>,
  deps: SettlingDeps,
  first: readonly BalanceDifference[],
  limits: { deadline: Date },
): Promise<SettledDifference[]> {
  const hasTime = () => limits.deadline.getTime() - Date.now() > LEAST_LEFT_MS;
  let suspects: Suspect[] = first.map((each) => ({ ...each, isSettled: false, isStill: false }));
  for (let reading = 1; reading <= READINGS && suspects.some(isOpen) && hasTime(); reading += 1) {
    const quiet = await quietAmong(deps, suspects);
    suspects = [
      ...suspects.filter(({ isSettled }) => isSettled),
      ...(await readAgain(db, deps, suspects.filter(isOpen), quiet, limits)),
    ];
  }
  return suspects.map(({ isStill: _, ...difference }) => difference);
}

const isOpen = ({ isSettled }: Suspect) => !isSettled;

/**
 * Waits for the gap. Returns the still accounts of which every event is applied now. Without payment or Kafka that is unknown, so
 * it returns none.
 */
async function quietAmong(
  { progress, pause }: SettlingDeps,
  suspects: readonly Suspect[],
): Promise<ReadonlySet<string>> {
  const still = suspects.filter((suspect) => isOpen(suspect) && suspect.isStill);
  const ids = [...new Set(still.map(({ accountId }) => accountId))];
  const nothing: ReadonlySet<string> = new Set();
  if (ids.length === 0) {
    await pause(GAP_MS);
    return nothing;
  }
  try {
    const unfinished = new Set<string>();
    for (const chunk of chunksOf(ids))
      for (const id of await progress.unfinishedAmong(chunk)) unfinished.add(id);
    // Every event of the other accounts is published, so it is before these ends.
    const ends = await progress.ends();
    await pause(GAP_MS);
    return (await progress.hasPassed(ends)) ? new Set(ids.filter((id) => !unfinished.has(id))) : nothing;
  } catch {
    return nothing;
  }
}

async function readAgain(
  db: Kysely<Database>,
  { accounts }: SettlingDeps,
  suspects: readonly Suspect[],
  quiet: ReadonlySet<string>,
  limits: { deadline: Date },
): Promise<Suspect[]> {
  const found: Suspect[] = [];
  for (const chunk of chunksOf(suspects)) {
    const ids = [...new Set(chunk.map(({ accountId }) => accountId))];
    const authorized = byKey(await Array.fromAsync(accounts.listBalances(limits, ids)));
    // The ledger comes last, as in the proof. The proof has compared its stored balances with the journal.
    const stored = byKey(await listStoredBalances(db, ids));
    for (const before of chunk) {
      const key = keyOf(before);
      const now: BalanceDifference = {
        accountId: before.accountId,
        currency: before.currency,
        ledgerPostedMinor: stored.get(key)?.postedMinor ?? 0n,
        authorizationPostedMinor: authorized.get(key)?.postedMinor ?? 0n,
        ledgerHeldMinor: stored.get(key)?.heldMinor ?? 0n,
        authorizationHeldMinor: authorized.get(key)?.heldMinor ?? 0n,
      };
      if (agrees(now)) continue;
      const isStill = FIGURES.every((figure) => before[figure] === now[figure]);
      found.push({ ...now, isStill, isSettled: isStill && quiet.has(before.accountId) });
    }
  }
  return found;
}

const FIGURES = [
  ...(['ledgerPostedMinor', 'authorizationPostedMinor'] as const),
  ...(['ledgerHeldMinor', 'authorizationHeldMinor'] as const),
];

function agrees(found: BalanceDifference): boolean {
  return (
    found.ledgerPostedMinor === found.authorizationPostedMinor &&
    found.ledgerHeldMinor === found.authorizationHeldMinor
  );
}

interface Keyed {
  accountId: string;
  currency: string;
}

const keyOf = ({ accountId, currency }: Keyed) => `${accountId} ${currency}`;

function byKey<T extends Keyed>(rows: readonly T[]): Map<string, T> {
  return new Map(rows.map((row) => [keyOf(row), row]));
}

function* chunksOf<T>(items: readonly T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += CHUNK) yield items.slice(from, from + CHUNK);
}
