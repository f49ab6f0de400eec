/**
 * Sends due deliveries to their endpoints. A job stands for one endpoint with due deliveries, and at most one instance works on an endpoint
 * at a time. So a slow endpoint holds up only itself.
 */
import {
  childOf,
  createBatcher,
  faultPoint,
  type Keys,
  type Logger,
  ok,
  type Repetition,
  recordSpan,
  repeat,
  runInTrace,
  SpanKind,
  traceFrom,
} from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { isSuspect } from '../domain/retry-schedule.ts';
import type { ClaimedJob, JobQueue } from '../jobs/job-queue.ts';
import type { Database, EndpointRow } from '../store/database.ts';
import { type DueDelivery, type DueEndpoint, findDue, sweepDeliveries } from '../store/due-deliveries.ts';
import type { WokenEndpoint } from '../store/record-events.ts';
import { eventBody } from '../webhooks/event-body.ts';
import { openSecret } from '../webhooks/secrets.ts';
import type { Answer, WebhookSender } from '../webhooks/send-request.ts';
import { viewEvent } from './event-view.ts';
import type { AddMailJobs } from './mail-jobs.ts';
import { playFailure } from './play-failure.ts';
import { createSlowEndpoints } from './slow-endpoints.ts';
import { type Attempt, storeAttempts } from './store-attempts.ts';

export interface DeliverDeps {
  db: Kysely<Database>;
  jobs: JobQueue;
  sender: WebhookSender;
  sealingKey: Keys;
  /** For the mail to the owner of an endpoint that is disabled. Undefined if no mails are sent. */
  addMailJobs?: AddMailJobs | undefined;
  /** True if magic references make attempts fail. */
  sandbox?: boolean | undefined;
  log: Logger;
}

export interface WebhookDeliverer {
  /** Sends what is due for these endpoints soon. */
  wake(endpoints: readonly WokenEndpoint[]): void;
  /** Waits a few seconds for requests that are running, and gives the rest back to the queue. */
  stop(): Promise<void>;
}

export const WEBHOOKS_QUEUE = 'webhooks';

/** Endpoints that one instance works on at a time. */
const MAX_ENDPOINTS = 200;
/** Endpoints that fail or are slow may occupy only this many of them. */
const MAX_SUSPECTS = 100;
/** Deliveries of one endpoint in one job, and requests to it at a time. */
const PER_JOB = 10;
const PER_ENDPOINT = 4;

/** If no wake-up comes, jobs are claimed this often: those of other instances and of the sweep. */
const POLL_MS = 250;
const SWEEP_EVERY_MS = 1_000;
/** Less than the heartbeat of the queue. */
const REPORT_EVERY_MS = 3_000;
const STOP_MS = 5_000;

interface Running {
  job: ClaimedJob<EndpointJob>;
  isFailing: boolean;
  done: Promise<void>;
}

interface EndpointJob {
  endpointId: string;
}

export function startDeliverer(deps: DeliverDeps): WebhookDeliverer {
  const { db, jobs, log } = deps;
  const running = new Map<string, Running>();
  const slow = createSlowEndpoints();
  const stopping = new AbortController();
  let isStopping = false;
  let nudge: () => void = () => {};

  const results = createBatcher<Attempt, void>({
    name: 'webhook-attempts',
    flush: async (attempts) => {
      const { addMailJobs } = deps;
      wake(await storeAttempts({ db, addMailJobs, now: () => new Date() }, attempts));
      return attempts.map(() => ok(undefined));
    },
  });
  const finished = createBatcher<ClaimedJob<EndpointJob>, void>({
    flush: async (done) => {
      await jobs.finish(WEBHOOKS_QUEUE, done);
      return done.map(() => ok(undefined));
    },
  });

  function wake(endpoints: readonly WokenEndpoint[]): void {
    if (endpoints.length === 0) return;
    jobs
      .add(
        WEBHOOKS_QUEUE,
        endpoints.map((each) => toJob(each, slow.has(each.endpointId))),
      )
      .then(nudge, (error) =>
        log.warn({ err: error }, 'endpoints could not be woken; the sweep of deliveries finds them'),
      );
  }

  async function claim(): Promise<boolean> {
    const free = MAX_ENDPOINTS - running.size;
    if (free <= 0) return false;
    const suspects = [...running.values()].filter(isSuspectNow).length;
    const left = MAX_SUSPECTS - suspects;
    // All of them may be suspects. The next claim, which follows at once, takes more if they are not.
    const [limit, options] = left > 0 ? [Math.min(free, left), {}] : [free, { minPriority: HEALTHY }];
    const claimed = await jobs.claim<EndpointJob>(WEBHOOKS_QUEUE, limit, options);
    if (claimed.length === 0) return false;
    const due = await findDue(
      db,
      claimed.map(({ data }) => data.endpointId),
      PER_JOB,
    ).catch(async (error) => {
      await jobs.giveBack(WEBHOOKS_QUEUE, claimed, 'the deliveries could not be read');
      throw error;
    });
    for (const job of claimed) begin(job, due.get(job.data.endpointId));
    return true;
  }

  const isSuspectNow = ({ job, isFailing }: Running) => isFailing || slow.has(job.data.endpointId);

  function begin(job: ClaimedJob<EndpointJob>, due: DueEndpoint | undefined): void {
    const done = work(job, due)
      .catch((error) =>
        log.warn({ err: error }, 'the deliveries of an endpoint failed; they are tried again'),
      )
      .finally(() => {
        running.delete(job.id);
        nudge();
      });
    running.set(job.id, { job, isFailing: (due?.endpoint.failures ?? 0) > 0, done });
  }

  async function work(job: ClaimedJob<EndpointJob>, due: DueEndpoint | undefined): Promise<void> {
    const { endpoint, deliveries } = due ?? { endpoint: undefined, deliveries: [] };
    // While an endpoint fails, one delivery finds out whether it works again.
    const chosen = endpoint && isSuspect(endpoint.failures) ? deliveries.slice(0, 1) : deliveries;
    const wasSlow = endpoint && slow.has(endpoint.id);
    let isCutShort = false;
    if (endpoint)
      await eachOf(chosen, PER_ENDPOINT, async (delivery) => {
        // This job found it slow. The other deliveries wait for a place among the slow ones.
        if (!wasSlow && slow.has(endpoint.id)) isCutShort = true;
        else await deliver(endpoint, delivery);
      });
    // Aborted requests are not stored, so their deliveries are still due. The job returns to the queue.
    if (stopping.signal.aborted) return;
    await finished.submit(job);
    const isMoreDue = isCutShort || deliveries.length === PER_JOB || chosen.length < deliveries.length;
    if (endpoint && isMoreDue && mayBeSent(endpoint))
      wake([{ endpointId: endpoint.id, failures: endpoint.failures }]);
  }

  async function deliver(endpoint: EndpointRow, delivery: DueDelivery): Promise<void> {
    // Also false after the attempts before this one.
    if (stopping.signal.aborted || !mayBeSent(endpoint)) return;
    const at = new Date();
    const sent = await inTraceOf(endpoint, delivery, () => answerOf(endpoint, delivery, at));
    const answer = deps.sandbox ? playFailure(delivery, sent) : sent;
    if (stopping.signal.aborted) return;
    slow.note(endpoint.id, answer.latencyMs);
    faultPoint('notification.after-webhook-sent');
    await results.submit({ endpoint, ...delivery, at, answer });
  }

  async function answerOf(endpoint: EndpointRow, { event }: DueDelivery, at: Date): Promise<Answer> {
    if (!event) return { ...NOTHING_SENT, error: 'the event is no longer kept' };
    let sent: { headers: Record<string, string>; body: string };
    try {
      const body = eventBody(viewEvent({ id: endpoint.owner_id, seesAll: endpoint.sees_all }, event));
      sent = { body, headers: { ...HEADERS, ...signed(endpoint, event.id, body, at, deps.sealingKey) } };
    } catch (error) {
      // A fault of this service. The other deliveries of the endpoint must go on.
      log.error({ err: error, eventId: event.id, endpointId: endpoint.id }, 'a webhook could not be made');
      return { ...NOTHING_SENT, error: 'the webhook could not be made' };
    }
    return deps.sender.send(endpoint.url, sent.headers, sent.body, stopping.signal);
  }

  const claiming = claimUntil(
    () => isStopping,
    claim,
    (resolve) => {
      nudge = resolve;
    },
    log,
  );
  const reporting = repeat(
    'the heartbeat of webhook jobs',
    REPORT_EVERY_MS,
    async () => {
      await jobs.report(
        WEBHOOKS_QUEUE,
        [...running.values()].map(({ job }) => job),
      );
      return false;
    },
    log,
  );
  const sweeping: Repetition = repeat(
    'the sweep of webhook deliveries',
    SWEEP_EVERY_MS,
    async () => {
      wake(await inTransaction(db, sweepDeliveries));
      return false;
    },
    log,
  );

  return {
    wake,
    async stop() {
      isStopping = true;
      nudge();
      await Promise.all([claiming, sweeping.stop()]);
      const all = Promise.allSettled([...running.values()].map(({ done }) => done));
      await Promise.race([all, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())]);
      stopping.abort();
      const left = [...running.values()].map(({ job }) => job);
      await all;
      await reporting.stop();
      await jobs.giveBack(WEBHOOKS_QUEUE, left, 'the instance stopped');
      await Promise.all([results.drain(), finished.drain()]);
    },
  };
}

/**
 * Sends a request in the trace of the payment, and records its span. Of the address, the span has only the host: paths of webhooks
 * may be secrets.
 */
async function inTraceOf(
  { url }: EndpointRow,
  { traceparent, tries }: DueDelivery,
  send: () => Promise<Answer>,
): Promise<Answer> {
  if (traceparent === '') return send();
  const trace = childOf(traceFrom(traceparent));
  const startedAt = performance.now();
  const answer = await runInTrace(trace, send);
  const problem = answer.error === '' ? undefined : String(answer.status ?? 'no response');
  recordSpan(trace, startedAt, problem, () => ({
    name: 'POST',
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': 'POST',
      'server.address': new URL(url).hostname,
      ...(answer.status !== undefined && { 'http.response.status_code': answer.status }),
      ...(tries > 0 && { 'http.request.resend_count': tries }),
    },
  }));
  return answer;
}

/** Claims until it stops. Sleeps while there is nothing to claim. */
async function claimUntil(
  isStopping: () => boolean,
  claim: () => Promise<boolean>,
  onNudge: (resolve: () => void) => void,
  log: Logger,
): Promise<void> {
  while (!isStopping()) {
    let timer: NodeJS.Timeout | undefined;
    const nudged = new Promise<void>((resolve) => {
      onNudge(resolve);
      timer = setTimeout(resolve, POLL_MS);
    });
    const isMore = await claim().catch((error) => {
      log.warn({ err: error }, 'webhook jobs could not be claimed, retrying');
      return false;
    });
    if (!isMore) await nudged;
    clearTimeout(timer);
  }
}

const HEALTHY = 0;
const SUSPECT = -1;

function toJob({ endpointId, failures }: WokenEndpoint, isSlow: boolean) {
  const priority = failures > 0 || isSlow ? SUSPECT : HEALTHY;
  return { singletonKey: endpointId, data: { endpointId }, priority };
}

function mayBeSent({ state, paused_until }: EndpointRow): boolean {
  return state === 'enabled' && (paused_until === null || paused_until.getTime() <= Date.now());
}

const NOTHING_SENT: Omit<Answer, 'error'> = {
  status: undefined,
  latencyMs: 0,
  response: '',
  retryAfter: undefined,
};

const HEADERS = { 'content-type': 'application/json', 'user-agent': 'PayFlowX-Webhooks/1' };

/** The headers of Standard Webhooks. After a rotation both secrets sign: the signatures are separated by a space. */
function signed(endpoint: EndpointRow, id: string, body: string, at: Date, sealingKey: Keys) {
  const { secret, previous_secret, previous_secret_until } = endpoint;
  const isBoth = previous_secret !== null && previous_secret_until !== null && previous_secret_until > at;
  const secrets = isBoth ? [secret, previous_secret] : [secret];
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets
      .map((sealed) => new Webhook(openSecret(sealed, endpoint.id, sealingKey)).sign(id, at, body))
      .join(' '),
  };
}

/** Runs `work` for all items, at most `width` at a time. */
async function eachOf<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const runners = Array.from({ length: width }, async () => {
    for (const item of waiting) await work(item);
  });
  await Promise.all(runners);
}
