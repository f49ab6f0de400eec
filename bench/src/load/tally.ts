/** Counts the outcomes of a run's requests. */

export interface Tally {
  /** Payments with automatic capture. */
  completed: number;
  /** Payments with manual capture, and the later steps on them. */
  authorized: number;
  captured: number;
  cancelled: number;
  refunded: number;
  /** Declined as intended. */
  declined: number;
  replayed: number;
  read: number;
  /** Mutations without a definite response; they may or may not have been executed. */
  unknown: number;
  /** Unexpected responses, by kind and status. */
  unexpected: Record<string, number>;
  /** Replays that did not get the first response. */
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

/** Payments that have ended with money in the intended account. Each counts once, whatever its number of requests. */
export function settledPayments({ completed, captured, cancelled }: Tally): number {
  // Refunded payments were captured before.
  return completed + captured + cancelled;
}
