/** The error of every failed call. It has the platform's problem details (RFC 9457), or the code NO_ANSWER. */
import type { KnownCode } from '../gen/known-code.ts';
import type { components } from '../gen/openapi.ts';

type Schemas = components['schemas'];

/** All fields that a problem may have. Its code decides which ones it has. */
export type Problem = Partial<
  Schemas['Problem'] & Schemas['DeclinedProblem'] & Schemas['DeclinedRefundProblem']
>;

/**
 * The codes of the platform that this version of the client knows, and NO_ANSWER. Later versions of the platform may add codes, and a
 * proxy's response has `HTTP_<status>`, so it may also be another text.
 */
export type ErrorCode = KnownCode | typeof NO_ANSWER | (string & {});

/** The code of an error without a response: the network failed, or the response came too late. */
export const NO_ANSWER = 'NO_ANSWER';

export class PayFlowXError extends Error {
  override readonly name = 'PayFlowXError';
  /** Stable, for programs: the problem's code, `HTTP_<status>` for a response of a proxy, or NO_ANSWER. */
  readonly code: ErrorCode;
  /** The HTTP status, or 0 without a response. */
  readonly status: number;
  /** Names the request in the platform's logs. */
  readonly requestId: string | undefined;
  /**
   * The Idempotency-Key of the request; undefined if it takes none. After NO_ANSWER send the request again with this key: with another
   * one it may pay twice.
   */
  readonly idempotencyKey: string | undefined;
  /** True if the response is a replay: the outcome of an earlier request with this key. */
  readonly replayed: boolean;
  /** True if the same request, with the same key, may succeed later. */
  readonly retryable: boolean;
  /** The problem details, such as `payment` of a declined payment, or `state` and `allowed_actions`. */
  readonly problem: Problem;

  constructor(code: ErrorCode, message: string, more: Partial<PayFlowXError> & { cause?: unknown } = {}) {
    super(`${code}: ${message}`, { cause: more.cause });
    this.code = code;
    this.status = more.status ?? 0;
    this.requestId = more.requestId;
    this.idempotencyKey = more.idempotencyKey;
    this.replayed = more.replayed ?? false;
    this.retryable = more.retryable ?? false;
    this.problem = more.problem ?? {};
  }

  /** True if a payment or a refund was declined: it exists and is FAILED, and is in `problem.payment` or `problem.refund`. */
  get declined(): boolean {
    return this.problem.payment !== undefined || this.problem.refund !== undefined;
  }
}

/** True if the platform marked the response as a replay of the first one with its key. */
export function isReplay({ headers }: Response): boolean {
  return headers.get('idempotent-replayed') === 'true';
}

/** `body` is the body of a failed response: a problem, or any body from a proxy. */
export function refused(response: Response, body: unknown, idempotencyKey?: string): PayFlowXError {
  const { status, statusText, headers } = response;
  const problem: Problem = typeof body === 'object' && body !== null ? body : {};
  const requestId = problem.request_id ?? headers.get('x-request-id') ?? undefined;
  const message = problem.detail ?? problem.title ?? statusText;
  // A proxy's response has no problem: 502, 503 and 504 are about the way, not about the request.
  const retryable = problem.retryable ?? [429, 502, 503, 504].includes(status);
  return new PayFlowXError(problem.code ?? `HTTP_${status}`, message, {
    status,
    requestId,
    idempotencyKey,
    replayed: isReplay(response),
    retryable,
    problem,
  });
}

export function unanswered(cause: unknown, idempotencyKey?: string): PayFlowXError {
  const message = `There was no answer (${reasonOf(cause)}).`;
  return new PayFlowXError(NO_ANSWER, message, { cause, idempotencyKey, retryable: true });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // fetch says only "fetch failed"; the reason is in the cause.
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
