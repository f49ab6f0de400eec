/** An error that tells the person at the terminal what went wrong and what to do about it. */
export class Failure extends Error {
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(problem);
    this.remedy = remedy;
  }
}

/** Lets all the work go on to its end and reports everything that failed, not only what failed first. */
export async function together<T>(work: Iterable<Promise<T>>): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, `${failures.length} things failed.`);
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/** What to print for an error: problem and remedy for the ones we foresaw, the stack for the others. */
export function explain(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(explain).join('\n');
  if (error instanceof Failure) return `✗ ${error.message}\n  → ${error.remedy}`;
  return `✗ ${error instanceof Error ? error.stack : String(error)}`;
}
