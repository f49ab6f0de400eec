/** What passed and what failed. */

export interface Tally {
  readonly passed: number;
  /** What failed, each by a name that finds it again. */
  readonly failures: readonly string[];
}

export function total(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failures: tallies.flatMap(({ failures }) => failures),
  };
}

/** The closing line of `make test`, below all that failed. A run in which nothing passed is no success either. */
export function conclude({ passed, failures }: Tally): void {
  for (const failure of failures) console.log(`✗ ${failure}`);
  console.log(`${passed} passed, ${failures.length} failed`);
  if (failures.length > 0 || passed === 0) process.exitCode = 1;
}
