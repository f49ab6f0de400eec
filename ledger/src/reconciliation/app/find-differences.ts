/** Finds the accounts that really differ. A difference counts only if two readings, some time apart, give the same figures. */
import {
  type AccountFigures,
  type Difference,
  differencesOf,
  fingerprintOf,
  isPending,
  type MissingRecords,
  missingDifference,
} from '../domain/reconciliation.ts';
import type { FigureStreams } from './merge-by-account.ts';
import { mergeByAccount } from './merge-by-account.ts';

export interface FindingDeps {
  /** The figures of every service by account id, for these accounts or for all. */
  figuresOf(accountIds?: readonly string[]): FigureStreams;
  /** The events, deliveries and mails that notification lacks. */
  missingRecords(): Promise<{ listed: readonly MissingRecords[]; count: number }>;
  pause(ms: number): Promise<void>;
}

export interface FindingSettings {
  /** Milliseconds between two readings of an account. */
  gapMs: number;
  /** The maximum number of times that a differing account is read again. */
  rereadings: number;
}

export interface Findings {
  accountCount: number;
  differenceCount: number;
  /** At most `MAX_LISTED`. */
  differences: Difference[];
  unsettledCount: number;
  /** At most `MAX_LISTED`. */
  unsettledIds: string[];
}

/** A report lists at most this many differences, and the log this many ids of unsettled accounts. All are counted. */
const MAX_LISTED = 100;
/** The maximum number of differing accounts in memory. Then they are read again. */
const MAX_SUSPECTS = 20_000;
/** The maximum number of account ids in one request. */
const CHUNK = 500;

/** The latest reading of a differing account; its figures are one text. */
interface Suspect {
  accountId: string;
  fingerprint: string;
  /** True if a service expects more events. Then the reading does not count as stable. */
  isPending: boolean;
}

/** Compares every account. Money moves meanwhile, so a differing account is read again, as long as its figures still change. */
export async function findDifferences(deps: FindingDeps, settings: FindingSettings): Promise<Findings> {
  const findings: Findings = {
    accountCount: 0,
    differenceCount: 0,
    differences: [],
    unsettledCount: 0,
    unsettledIds: [],
  };
  let suspects: Suspect[] = [];
  for await (const account of mergeByAccount(deps.figuresOf())) {
    findings.accountCount += 1;
    if (differencesOf(account).length === 0) continue;
    suspects.push(toSuspect(account));
    if (suspects.length < MAX_SUSPECTS) continue;
    await examine(deps, settings, suspects, findings);
    suspects = [];
  }
  await examine(deps, settings, suspects, findings);
  const { listed, count } = await deps.missingRecords();
  note(findings, listed.map(missingDifference), count);
  return findings;
}

/** Reads the suspects again until each of them agrees, or differs with stable figures. The remaining ones are unsettled. */
async function examine(
  deps: FindingDeps,
  { gapMs, rereadings }: FindingSettings,
  suspects: readonly Suspect[],
  findings: Findings,
): Promise<void> {
  let left = suspects;
  for (let reading = 1; reading <= rereadings && left.length > 0; reading += 1) {
    await deps.pause(gapMs);
    const still: Suspect[] = [];
    for (let from = 0; from < left.length; from += CHUNK) {
      still.push(...(await readAgain(deps, left.slice(from, from + CHUNK), findings)));
    }
    left = still;
  }
  findings.unsettledCount += left.length;
  for (const { accountId } of left)
    if (findings.unsettledIds.length < MAX_LISTED) findings.unsettledIds.push(accountId);
}

/** Returns the suspects whose figures have changed since the last reading. */
async function readAgain(
  { figuresOf }: FindingDeps,
  suspects: readonly Suspect[],
  findings: Findings,
): Promise<Suspect[]> {
  const before = new Map(suspects.map((suspect) => [suspect.accountId, suspect]));
  const moved: Suspect[] = [];
  for await (const account of mergeByAccount(figuresOf([...before.keys()]))) {
    const differences = differencesOf(account);
    if (differences.length === 0) continue;
    const now = toSuspect(account);
    if (isStable(before.get(account.accountId), now)) note(findings, differences);
    else moved.push(now);
  }
  return moved;
}

function toSuspect(account: AccountFigures): Suspect {
  return {
    accountId: account.accountId,
    fingerprint: fingerprintOf(account),
    isPending: isPending(account),
  };
}

function isStable(before: Suspect | undefined, now: Suspect): boolean {
  return before?.fingerprint === now.fingerprint && !before.isPending && !now.isPending;
}

function note(findings: Findings, differences: readonly Difference[], count = differences.length): void {
  findings.differenceCount += count;
  findings.differences.push(...differences.slice(0, MAX_LISTED - findings.differences.length));
}
