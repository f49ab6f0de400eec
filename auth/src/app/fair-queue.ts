/**
 * A bounded queue that is fair between parties. Some work runs at once, some waits, the rest is refused. Each party has its own
 * line and the lines are served in rotation, so a flood by one party delays only that party. A full queue makes room for a party
 * with few waiting: it refuses the last of the party with the most.
 */
export interface FairQueue {
  inTurn<T>(party: string, work: () => Promise<T>): Promise<T>;
}

export interface FairQueueLimits {
  /** Number of tasks that run at once. */
  concurrency: number;
  /** Number of tasks that may wait. */
  queueMax: number;
}

interface Waiter {
  start(): void;
  refuse(): void;
}

/** `refusal` makes the error of a refused task. */
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
    // One more than the newcomer will have. Otherwise two parties would push each other out endlessly.
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

  const passSlotOn = () => {
    const [first] = lines;
    if (!first) {
      running -= 1;
      return;
    }
    const [party, [next, ...rest]] = first;
    lines.delete(party);
    if (rest.length > 0) lines.set(party, rest);
    waiting -= 1;
    // The next task takes over this slot, so `running` does not change.
    next?.start();
  };

  return {
    async inTurn(party, work) {
      if (running >= concurrency) await waitInLine(party);
      else running += 1;
      try {
        return await work();
      } finally {
        passSlotOn();
      }
    },
  };
}
