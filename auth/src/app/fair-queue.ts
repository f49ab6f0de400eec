/**
 * Work that takes turns: some runs at once, some waits, the rest is refused. Each party waits in a line of its own and the
 * lines are served in rotation, so a flood by one party makes that party wait. A full queue makes room for a party with few
 * waiting at the cost of the one with most.
 */
export interface FairQueue {
  inTurn<T>(party: string, work: () => Promise<T>): Promise<T>;
}

export interface FairQueueLimits {
  /** How many run at once. */
  concurrency: number;
  /** How many more may wait for their turn. */
  queueMax: number;
}

interface Waiter {
  start(): void;
  refuse(): void;
}

/** Whoever finds no place is refused with what `refusal` makes. */
export function createFairQueue({ concurrency, queueMax }: FairQueueLimits, refusal: () => Error): FairQueue {
  // In the order in which the parties are served.
  const lines = new Map<string, Waiter[]>();
  let running = 0;
  let waiting = 0;

  const makeRoom = (newcomersLine: number) => {
    if (waiting < queueMax) return true;
    const longest = [...lines.entries()].reduce<[string, Waiter[]] | undefined>(
      (most, line) => (line[1].length > (most?.[1].length ?? 0) ? line : most),
      undefined,
    );
    // One more than the newcomer will have: otherwise two parties would push each other out without end.
    if (!longest || longest[1].length <= newcomersLine + 1) return false;
    longest[1].pop()?.refuse();
    waiting -= 1;
    return true;
  };

  const waitInLine = (party: string) =>
    new Promise<void>((resolve, reject) => {
      if (!makeRoom(lines.get(party)?.length ?? 0)) return reject(refusal());
      const waiter = { start: resolve, refuse: () => reject(refusal()) };
      const line = lines.get(party);
      if (line) line.push(waiter);
      else lines.set(party, [waiter]);
      waiting += 1;
    });

  const handOn = () => {
    const [first] = lines;
    if (!first) {
      running -= 1;
      return;
    }
    const [party, [next, ...rest]] = first;
    lines.delete(party);
    if (rest.length > 0) lines.set(party, rest);
    waiting -= 1;
    // The turn is handed on, so `running` stays as it is.
    next?.start();
  };

  return {
    async inTurn(party, work) {
      if (running >= concurrency) await waitInLine(party);
      else running += 1;
      try {
        return await work();
      } finally {
        handOn();
      }
    },
  };
}
