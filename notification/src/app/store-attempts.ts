/** Stores the results of many attempts in one transaction, and what follows for the endpoints: pauses, and the end of one that fails. */
import { faultPoint } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { DISABLE_AFTER_MS, nextAttemptAt, parseRetryAfter, pauseAfter } from '../domain/retry-schedule.ts';
import type { Database, EndpointRow } from '../store/database.ts';
import {
  type AttemptResult,
  type EndpointHealth,
  saveAttempts,
  saveHealth,
} from '../store/due-deliveries.ts';
import type { WokenEndpoint } from '../store/record-events.ts';
import type { Answer } from '../webhooks/send-request.ts';
import { disableFailing } from './disable-endpoint.ts';
import type { AddMailJobs } from './mail-jobs.ts';

/** One attempt. The endpoint is as it was before, and is updated when the attempt is stored. */
export interface Attempt {
  endpoint: EndpointRow;
  deliveryId: string;
  /** Attempts before this one. */
  tries: number;
  at: Date;
  answer: Answer;
}

export interface StoreDeps {
  db: Kysely<Database>;
  /** Undefined if no mails are sent. */
  addMailJobs?: AddMailJobs | undefined;
  now(): Date;
}

const GONE = 410;

/** Returns the endpoints that got an event by it. Each delivery may occur once. */
export async function storeAttempts(
  { db, addMailJobs, now: clock }: StoreDeps,
  attempts: readonly Attempt[],
): Promise<WokenEndpoint[]> {
  const now = clock();
  const health = [...Map.groupBy(attempts, ({ endpoint }) => endpoint.id).values()].map((of) =>
    healthAfter(of, now),
  );
  const changed = health.filter(({ isChanged }) => isChanged);
  const woken = await inTransaction(db, async (trx) => {
    // Endpoints before deliveries, as all transactions that lock both.
    const endings = changed.flatMap(({ endpoint, ends }) => (ends ? { endpoint, reason: ends } : []));
    const told = await disableFailing(trx, endings, { now, addMailJobs });
    await saveHealth(trx, changed);
    await saveAttempts(trx, attempts.map(toResult));
    return told;
  });
  faultPoint('notification.after-webhook-stored');
  const after = new Map(changed.map((each) => [each.id, each]));
  for (const { endpoint } of attempts) applyTo(endpoint, after.get(endpoint.id));
  return woken;
}

function applyTo(endpoint: EndpointRow, health: HealthAfter | undefined): void {
  if (!health) return;
  endpoint.failures = health.failures;
  endpoint.failing_since = health.failing_since ?? null;
  endpoint.paused_until = health.paused_until ?? null;
  if (health.ends) endpoint.state = 'disabled';
}

function toResult({ endpoint, deliveryId, tries, at, answer }: Attempt): AttemptResult {
  const next = isSuccess(answer) || answer.status === GONE ? undefined : retryAt({ tries, at, answer });
  return {
    delivery_id: deliveryId,
    endpoint_id: endpoint.id,
    at,
    status: answer.status,
    latency_ms: answer.latencyMs,
    response: answer.response,
    error: answer.error,
    state: isSuccess(answer) ? 'delivered' : next ? 'pending' : 'failed',
    next_attempt_at: next,
  };
}

function retryAt({ tries, at, answer }: Pick<Attempt, 'tries' | 'at' | 'answer'>): Date | undefined {
  const failedAt = new Date(at.getTime() + answer.latencyMs);
  const retryAfterMs = parseRetryAfter(answer.retryAfter, failedAt);
  const failedTries = answer.isPlayed ? 1 : tries + 1;
  return nextAttemptAt({ tries: failedTries, at: failedAt, retryAfterMs }, Math.random());
}

const isSuccess = ({ error }: Answer): boolean => error === '';

interface HealthAfter extends EndpointHealth {
  /** As it was when the attempts began. */
  endpoint: EndpointRow;
  isChanged: boolean;
  /** Set if the endpoint is to be disabled. */
  ends: 'gone' | 'failing' | undefined;
}

/**
 * The attempts of one endpoint. One success ends a series of failures. A failure that only the sandbox played says nothing of the
 * endpoint: otherwise one customer could pause the endpoints of others.
 */
function healthAfter(attempts: readonly Attempt[], now: Date): HealthAfter {
  const { endpoint } = attempts[0] as Attempt;
  const succeeded = attempts.some(({ answer }) => isSuccess(answer) || answer.isPlayed === true);
  const failures = succeeded ? 0 : endpoint.failures + attempts.length;
  const failingSince = succeeded ? undefined : (endpoint.failing_since ?? attempts[0]?.at);
  const pauseMs = pauseAfter(failures);
  const isGone = attempts.some(({ answer }) => answer.status === GONE);
  const isFailing = failingSince !== undefined && now.getTime() - failingSince.getTime() >= DISABLE_AFTER_MS;
  return {
    endpoint,
    id: endpoint.id,
    failures,
    failing_since: failingSince,
    paused_until: pauseMs > 0 ? new Date(now.getTime() + pauseMs) : undefined,
    isChanged: !succeeded || endpoint.failures > 0,
    ends: isGone ? 'gone' : isFailing ? 'failing' : undefined,
  };
}
