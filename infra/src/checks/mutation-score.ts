/** The scores of mutation testing by folder, from the report that StrykerJS writes. */
import { dirname } from 'node:path';

/** The part of the report that is read: https://github.com/stryker-mutator/mutation-testing-elements */
export interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>;
}

export interface Score {
  /** Inside the package. */
  readonly folder: string;
  readonly changes: number;
  readonly noticed: number;
}

/** At least this share of the changes in each folder must be noticed, in percent. */
export const LEAST_NOTICED = 90;

/** A test that does not end has noticed the change too. */
const NOTICED = ['Killed', 'Timeout'];
/** A change that no test runs is one that no test notices. */
const MISSED = ['Survived', 'NoCoverage'];

/** Changes that cannot run, for example because they are not valid code, do not count. */
export function scoresOf({ files }: Report): Score[] {
  const scores = new Map<string, Score>();
  for (const [file, { mutants }] of Object.entries(files)) {
    const folder = dirname(file);
    const before = scores.get(folder) ?? { folder, changes: 0, noticed: 0 };
    const noticed = mutants.filter(({ status }) => NOTICED.includes(status)).length;
    const missed = mutants.filter(({ status }) => MISSED.includes(status)).length;
    scores.set(folder, {
      folder,
      changes: before.changes + noticed + missed,
      noticed: before.noticed + noticed,
    });
  }
  return [...scores.values()].filter(({ changes }) => changes > 0);
}

/** Rounded down, so that a folder below the line is not shown on it. */
export function percentOf({ changes, noticed }: Score): number {
  return Math.floor((noticed * 1_000) / changes) / 10;
}

export function isEnough(score: Score): boolean {
  return percentOf(score) >= LEAST_NOTICED;
}
