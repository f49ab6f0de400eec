/**
 * Runs expensive work one at a time. Callers that wait with the same key share one run and its result.
 *
 * A run takes no more callers once it has started. So a result never describes a moment before the request of its caller.
 */
import { inTime } from './in-time.ts';

/** Thrown if too many other runs are queued. The work was not started. */
export class RunQueueFullError extends Error {
  override readonly name = 'RunQueueFullError';
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super('Too much work of this kind is queued. Try again later.');
    this.retryAfterMs = retryAfterMs;
  }
}

export interface SharedRunsOptions {
  /** The maximum number of different runs that wait. */
  maxQueued: number;
  /** The maximum number of callers of one run. */
  maxCallers: number;
  /** Sent to callers that are refused. */
  retryAfterMs: number;
}

export interface SharedRuns<T> {
  /**
   * Resolves or rejects with the outcome of the run. `work` gets the latest deadline of the run's callers. Callers with one key
   * must pass equal work; only the first one's is called. Throws RunQueueFullError.
   */
  run(key: string, deadline: Date, work: (limits: { deadline: Date }) => Promise<T>): Promise<T>;
}

interface Run<T> {
  key: string;
  deadline: Date;
  callerCount: number;
  start(): Promise<void>;
  outcome: Promise<T>;
}

export function sharedRuns<T>({ maxQueued, maxCallers, retryAfterMs }: SharedRunsOptions): SharedRuns<T> {
  const queue: Run<T>[] = [];
  let isRunning = false;

  async function runAll(): Promise<void> {
    if (isRunning) return;
    isRunning = true;
    for (let next = queue.shift(); next; next = queue.shift()) await next.start();
    isRunning = false;
  }

  function join(run: Run<T>, deadline: Date): Promise<T> {
    if (run.callerCount >= maxCallers) throw new RunQueueFullError(retryAfterMs);
    run.callerCount += 1;
    if (deadline > run.deadline) run.deadline = deadline;
    return run.outcome;
  }

  return {
    async run(key, deadline, work) {
      const queued = queue.find((run) => run.key === key);
      if (queued) return join(queued, deadline);
      if (queue.length >= maxQueued) throw new RunQueueFullError(retryAfterMs);
      const run = newRun(key, deadline, work);
      queue.push(run);
      void runAll();
      return run.outcome;
    },
  };
}

/** Work ends itself at the deadline. If it hangs beyond that, the queue moves on. */
const GRACE_MS = 5_000;

function newRun<T>(key: string, deadline: Date, work: (limits: { deadline: Date }) => Promise<T>): Run<T> {
  const { promise: outcome, resolve, reject } = Promise.withResolvers<T>();
  const run: Run<T> = {
    key,
    deadline,
    callerCount: 1,
    outcome,
    start: () => {
      const patienceMs = run.deadline.getTime() - Date.now() + GRACE_MS;
      // Async, so that work that throws at once rejects as well, and cannot stop the queue.
      const outcome = (async () => work({ deadline: run.deadline }))();
      return inTime(outcome, patienceMs, abandon).then(resolve, reject);
    },
  };
  return run;
}

function abandon(): never {
  throw new Error('the work did not end at its deadline');
}
