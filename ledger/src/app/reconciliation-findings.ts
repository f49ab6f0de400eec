/** Which accounts really differ: a difference counts only where the same figures are read twice, some time apart. */
import {
  type AccountFigures,
  type Difference,
  differencesOf,
  fingerprintOf,
  isPending,
} from '../domain/reconciliation.ts';
import type { FigureStreams } from './reconciliation-merge.ts';
import { mergeByAccount } from './reconciliation-merge.ts';

export interface FindingDeps {
  /** What every service says about these accounts, or about all, by account id. */
  figuresOf(accountIds?: readonly string[]): FigureStreams;
  pause(ms: number): Promise<void>;
}

export interface FindingSettings {
  /** Between two readings of an account. */
  gapMs: number;
  /** How often a differing account is read again before it is left alone. */
  rereadings: number;
}

export interface Findings {
  accountCount: number;
  differenceCount: number;
  /** The first of them. */
  differences: Difference[];
  unsettledCount: number;
  /** The first of them. */
  unsettledIds: string[];
}

/** As many differences, and ids of unsettled accounts, as anybody will read. All are counted. */
const MAX_LISTED = 100;
/** How many differing accounts are kept in memory before they are read again. */
const MAX_SUSPECTS = 20_000;
/** How many accounts one request names. */
const CHUNK = 500;

/** An account as it was read last: its figures as one text. */
interface Suspect {
  accountId: string;
  fingerprint: string;
  /** A service knows of more to come: what is read does not count as standing still. */
  isPending: boolean;
}

/** Compares every account. Money moves meanwhile, so whoever differs is read again, and again while it still moves. */
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
  return findings;
}

/** Reads the suspects again until each of them agrees, or stands still and differs; those that do neither are unsettled. */
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

/** The suspects that have moved since. */
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
    if (standsStill(before.get(account.accountId), now)) note(findings, differences);
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

function standsStill(before: Suspect | undefined, now: Suspect): boolean {
  return before?.fingerprint === now.fingerprint && !before.isPending && !now.isPending;
}

function note(findings: Findings, differences: readonly Difference[]): void {
  findings.differenceCount += differences.length;
  findings.differences.push(...differences.slice(0, MAX_LISTED - findings.differences.length));
}
