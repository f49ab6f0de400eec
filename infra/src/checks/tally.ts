/** Counts passed checks and tests, and lists failures. */

export interface Tally {
  readonly passed: number;
  /** The names of failed checks and tests. */
  readonly failures: readonly string[];
}

export function total(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
    failures: tallies.flatMap(({ failures }) => failures),
  };
}

/** Prints the failures and the last line of `make test`. A run without any passed test fails too. */
export function conclude({ passed, failures }: Tally): void {
  for (const failure of failures) console.log(`✗ ${failure}`);
  console.log(`${passed} passed, ${failures.length} failed`);
  if (failures.length > 0 || passed === 0) process.exitCode = 1;
}
