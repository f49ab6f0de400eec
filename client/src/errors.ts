/** What every call throws when it does not succeed: the platform's own problem details (RFC 9457), or that none came. */
import type { components } from '../gen/openapi.ts';

type Schemas = components['schemas'];

/** All members that a problem may have; which ones it does depends on its code. */
export type Problem = Partial<
  Schemas['Problem'] & Schemas['DeclinedProblem'] & Schemas['DeclinedRefundProblem']
>;

/** The code of an error where no answer came: a network that fails, or none in time. */
export const NO_ANSWER = 'NO_ANSWER';

export class PayFlowXError extends Error {
  override readonly name = 'PayFlowXError';
  /** Stable, for programs: the problem's own code, `HTTP_<status>` where something in between answered, or NO_ANSWER. */
  readonly code: string;
  /** The HTTP status; 0 where no answer came. */
  readonly status: number;
  /** Names the request in the platform's logs. */
  readonly requestId: string | undefined;
  /** Such as `payment` of one that was declined, or `state` and `allowed_actions`. */
  readonly problem: Problem;

  constructor(code: string, message: string, more: Partial<PayFlowXError> & { cause?: unknown } = {}) {
    super(`${code}: ${message}`, { cause: more.cause });
    this.code = code;
    this.status = more.status ?? 0;
    this.requestId = more.requestId;
    this.problem = more.problem ?? {};
  }
}

/** `body` is what came with an answer that is no success: a problem, or whatever a proxy says. */
export function refused({ status, statusText, headers }: Response, body: unknown): PayFlowXError {
  const problem: Problem = typeof body === 'object' && body !== null ? body : {};
  const requestId = problem.request_id ?? headers.get('x-request-id') ?? undefined;
  const message = problem.detail ?? problem.title ?? statusText;
  return new PayFlowXError(problem.code ?? `HTTP_${status}`, message, { status, requestId, problem });
}

export function unanswered(cause: unknown): PayFlowXError {
  return new PayFlowXError(NO_ANSWER, `There was no answer (${reasonOf(cause)}).`, { cause });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // fetch says "fetch failed", and the reason in its cause.
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}
