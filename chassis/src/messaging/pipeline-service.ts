/** PipelineService: how far the outbox and the consumers of this service are behind, and how many dead letters it has. */
import { PipelineServiceService } from '@payflowx/proto/pipeline';
import { ReasonedError } from '../errors.ts';
import { inTime } from '../process/in-time.ts';
import { errorTable } from '../rpc/errors.ts';
import { type BoundService, bindService } from '../rpc/server.ts';
import type { Lag } from './consumer-metrics.ts';
import type { DeadLetterSource } from './dead-letter-source.ts';

export interface Stage {
  activity: 'publish' | 'consume';
  /** The topic or the queue. */
  source: string;
  /** Rejects if the broker or the database does not answer. */
  read(): Promise<Lag>;
}

export interface PipelineDeps {
  /** The name of the service, for its errors. */
  service: string;
  stages: readonly Stage[];
  deadLetters?: readonly Pick<DeadLetterSource, 'name' | 'count'>[];
}

/** Many consoles cost no more than one: they get the same figures for this long. */
const STAGES_KEPT_MS = 2_000;
/** Counting the messages of a queue opens a connection. */
const LETTERS_KEPT_MS = 10_000;
/** A broker that does not answer must not hold up the figures of the others. */
const ANSWER_MS = 2_500;

class PipelineError extends ReasonedError<never> {}

export function pipelineService({ service, stages, deadLetters = [] }: PipelineDeps): BoundService {
  const readStages = kept(STAGES_KEPT_MS, () => Promise.all(stages.map(lagOf)));
  const readLetters = kept(LETTERS_KEPT_MS, () => Promise.all(deadLetters.map(countOf)));
  return bindService(PipelineServiceService, {
    access: { getPipeline: ['operator', 'auditor'] },
    errors: errorTable(service, PipelineError, {}),
    handlers: {
      async getPipeline() {
        const [found, counts] = await Promise.all([readStages(), readLetters()]);
        return { stages: found, deadLetters: counts };
      },
    },
  });
}

/** Returns the same answer for this long. `read` does not reject. */
function kept<T>(ms: number, read: () => Promise<T>): () => Promise<T> {
  let last: { until: number; answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || performance.now() > last.until)
      last = { until: performance.now() + ms, answer: read() };
    return last.answer;
  };
}

async function lagOf({ activity, source, read }: Stage) {
  const lag = await orUnknown(read);
  return {
    ...{ activity, source },
    waitingCount: lag && BigInt(lag.messages),
    oldestAgeMs: lag && BigInt(Math.round(lag.seconds * 1_000)),
  };
}

async function countOf(source: Pick<DeadLetterSource, 'name' | 'count'>) {
  const count = await orUnknown(() => source.count());
  return { source: source.name, count: count === undefined ? undefined : BigInt(count) };
}

/** Undefined if the source does not answer in time. */
async function orUnknown<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await inTime(read(), ANSWER_MS, () => undefined);
  } catch {
    return undefined;
  }
}
