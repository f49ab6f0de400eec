/** An error with its remedy, for the person at the terminal. */
export class Failure extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(problem);
    this.remedy = remedy;
  }
}

/** Waits for all work to end and reports every failure, not only the first. */
export async function together<T>(work: Iterable<Promise<T>>): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, `${failures.length} steps failed.`);
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/** Formats an error: problem and remedy of an expected failure, the stack of any other error. */
export function explain(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(explain).join('\n');
  if (error instanceof Failure) return `✗ ${error.message}\n  → ${error.remedy}`;
  return `✗ ${error instanceof Error ? error.stack : String(error)}`;
}
