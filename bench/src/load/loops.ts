/** Schedules the requests. */
import { setTimeout as pause } from 'node:timers/promises';

/** Sends one request and resolves with the arrival of its response, or false if there is nothing to send. */
export type Perform = (dueMs: number, finishing: boolean) => Promise<boolean>;

export interface ClosedLoop {
  kind: 'closed';
  /** The number of requests in flight. */
  workers: number;
  seconds: number;
}

export interface OpenLoop {
  kind: 'open';
  /** Requests a second, independent of earlier responses. */
  rate: number;
  seconds: number;
  /** The most requests that can be under way; undefined: the generator's own figure. */
  connections?: number;
}

/** One request at a time with a pause between, so the platform is idle at each. */
export interface LoneLoop {
  kind: 'lone';
  requests: number;
}

export type Loop = ClosedLoop | OpenLoop | LoneLoop;

const PAUSE_MS = 20;
const FINISHERS = 64;
/** Node's timers have this resolution. */
const TICK_MS = 1;

/** Runs the loop. Resolves when every request has a response and every payment in progress has ended. */
export async function runLoop(loop: Loop, perform: Perform): Promise<void> {
  if (loop.kind === 'closed') await runClosed(loop, perform);
  else if (loop.kind === 'open') await runOpen(loop, perform);
  else await runLone(loop, perform);
  await finish(perform);
}

/** Next steps of payments, from the latest responses. */
async function finish(perform: Perform): Promise<void> {
  const work = async () => {
    while (await perform(performance.now(), true));
  };
  await Promise.all(Array.from({ length: FINISHERS }, work));
}

async function runClosed({ workers, seconds }: ClosedLoop, perform: Perform): Promise<void> {
  const until = performance.now() + seconds * 1000;
  const work = async () => {
    for (let now = performance.now(); now < until; now = performance.now()) await perform(now, false);
  };
  await Promise.all(Array.from({ length: workers }, work));
}

async function runLone({ requests }: LoneLoop, perform: Perform): Promise<void> {
  for (let sent = 0; sent < requests; sent += 1) {
    await perform(performance.now(), false);
    await pause(PAUSE_MS);
  }
}

async function runOpen({ rate, seconds }: OpenLoop, perform: Perform): Promise<void> {
  const startedAt = performance.now();
  const schedule = createSchedule(startedAt, rate, seconds);
  const inFlight = new Set<Promise<boolean>>();
  while (!schedule.isOver()) {
    for (const dueMs of schedule.takeDue(performance.now())) {
      const answer = perform(dueMs, false);
      inFlight.add(answer);
      void answer.then(() => inFlight.delete(answer));
    }
    await pause(TICK_MS);
  }
  await Promise.all(inFlight);
}

/** Due times of requests: evenly spaced, never delayed by slow responses. */
export function createSchedule(startedAt: number, rate: number, seconds: number) {
  const total = Math.round(rate * seconds);
  let taken = 0;
  return {
    isOver: () => taken >= total,
    /** Returns the due times up to `now` that were not taken yet. */
    takeDue(now: number): number[] {
      const due = Math.min(total, Math.floor(((now - startedAt) / 1000) * rate) + 1);
      const moments: number[] = [];
      for (; taken < due; taken += 1) moments.push(startedAt + (taken / rate) * 1000);
      return moments;
    },
  };
}
