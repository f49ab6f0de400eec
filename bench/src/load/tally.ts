/** What became of the requests of a run. */

export interface Tally {
  /** Payments that moved at once. */
  completed: number;
  /** Payments that are held; then the steps that were taken on them. */
  authorized: number;
  captured: number;
  cancelled: number;
  refunded: number;
  /** Declined as meant. */
  declined: number;
  replayed: number;
  read: number;
  /** Requests to change something that got no definite answer: whether it happened is not known. */
  unknown: number;
  /** Answers that a run does not expect, by kind and status. */
  unexpected: Record<string, number>;
  /** A key and body given again that did not get the first answer again. */
  replayViolations: number;
  /** The first few of these. */
  violations: string[];
}

export function emptyTally(): Tally {
  return {
    completed: 0,
    authorized: 0,
    captured: 0,
    cancelled: 0,
    refunded: 0,
    declined: 0,
    replayed: 0,
    read: 0,
    unknown: 0,
    unexpected: {},
    replayViolations: 0,
    violations: [],
  };
}

export function addTallies(a: Tally, b: Tally): Tally {
  const unexpected = { ...a.unexpected };
  for (const [what, count] of Object.entries(b.unexpected))
    unexpected[what] = (unexpected[what] ?? 0) + count;
  return {
    completed: a.completed + b.completed,
    authorized: a.authorized + b.authorized,
    captured: a.captured + b.captured,
    cancelled: a.cancelled + b.cancelled,
    refunded: a.refunded + b.refunded,
    declined: a.declined + b.declined,
    replayed: a.replayed + b.replayed,
    read: a.read + b.read,
    unknown: a.unknown + b.unknown,
    unexpected,
    replayViolations: a.replayViolations + b.replayViolations,
    violations: [...a.violations, ...b.violations],
  };
}

/** Payments that ended with money where it was meant to be: each counts once, however many requests it took. */
export function settledPayments({ completed, captured, cancelled }: Tally): number {
  // What is refunded was captured before.
  return completed + captured + cancelled;
}
