/**
 * The catalogue of all codes that clients may get, and what a client should do about each. The document, the page
 * docs/integrators/errors.md and `retryable` are made from it.
 */
import type { DeclineCode as AnyDecline, FixedBy, Retry } from '@payflowx/proto/declines';

/**
 * The effect on the Idempotency-Key of the request.
 *
 * - unused: nothing is stored, so a corrected request may use it.
 * - final: a retry gets this response again, so another attempt needs another key.
 * - taken: it belongs to another request.
 * - unknown: the request may have been carried out, so only the same request may use it.
 */
export type KeyEffect = 'unused' | 'final' | 'taken' | 'unknown';

export interface ProblemFacts {
  readonly status: number;
  /** The meaning. */
  readonly title: string;
  readonly fixedBy: FixedBy;
  readonly retry: Retry;
  readonly key: KeyEffect;
  /** The object that the refused request left behind, if any. */
  readonly leaves: 'nothing' | 'FAILED payment' | 'FAILED refund' | 'FAILED capture' | 'unknown';
}

type Changes = Partial<Omit<ProblemFacts, 'status' | 'title'>>;

/** Without changes: the caller must correct the request, and nothing was done. */
function problem(status: number, title: string, changes: Changes = {}): ProblemFacts {
  return { status, title, fixedBy: 'caller', retry: 'changed', key: 'unused', leaves: 'nothing', ...changes };
}

const NEVER = { fixedBy: 'none', retry: 'never' } as const satisfies Changes;
const LATER = { fixedBy: 'none', retry: 'later' } as const satisfies Changes;
const UNKNOWN = { key: 'unknown', leaves: 'unknown' } as const satisfies Changes;

/** Every `code` of a problem, except the decline codes. */
export const PROBLEMS = {
  INVALID_REQUEST: problem(400, 'The request is not valid'),
  INVALID_JSON: problem(400, 'The body is not acceptable JSON'),
  INVALID_SCOPE: problem(400, 'The API client does not have this scope'),
  INVALID_CURSOR: problem(400, 'The cursor is not valid'),
  IDEMPOTENCY_KEY_REQUIRED: problem(400, 'The header Idempotency-Key is missing'),
  IDEMPOTENCY_KEY_INVALID: problem(400, 'The header Idempotency-Key is not valid'),
  UNAUTHENTICATED: problem(401, 'A valid access token is required'),
  INVALID_CREDENTIALS: problem(401, 'The credentials are not valid'),
  INVALID_CLIENT_ASSERTION: problem(401, 'The client assertion is not valid'),
  SECOND_FACTOR_REQUIRED: problem(401, 'The login needs a second factor'),
  INVALID_SECOND_FACTOR: problem(401, 'The second factor is not valid'),
  INVALID_REFRESH_TOKEN: problem(401, 'The refresh token is not valid'),
  PAYMENT_DECLINED: problem(402, 'The payment was declined', { key: 'final', leaves: 'FAILED payment' }),
  REFUND_DECLINED: problem(402, 'The refund was declined', { key: 'final', leaves: 'FAILED refund' }),
  ROLE_NOT_ALLOWED: problem(403, 'Your role may not do this', { fixedBy: 'operator', retry: 'never' }),
  CROSS_SITE_REQUEST: problem(403, 'The request comes from a page of another origin'),
  ACTION_NOT_ALLOWED: problem(403, 'Your side of the payment or mandate may not do this', NEVER),
  LOGIN_TOO_OLD: problem(403, 'This needs a recent login'),
  SECOND_FACTOR_SETUP_REQUIRED: problem(403, 'A second factor must be set up first'),
  PASSWORD_CHANGE_REQUIRED: problem(403, 'The one-time password must be replaced'),
  OWN_ACCOUNT: problem(403, 'An operator may not do this with an account of its own', {
    fixedBy: 'operator',
    retry: 'never',
    leaves: 'FAILED payment',
  }),
  NOT_YOUR_ENDPOINT: problem(403, 'Only the owner of the webhook endpoint may do this', NEVER),
  INSUFFICIENT_SCOPE: problem(403, 'The token’s scopes do not cover this', {
    fixedBy: 'operator',
    retry: 'never',
  }),
  NOT_FOUND: problem(404, 'The resource does not exist, or it is not yours'),
  ACCOUNT_NOT_FOUND: problem(404, 'The account does not exist, or it is not yours'),
  FROM_ACCOUNT_NOT_FOUND: problem(404, 'The paying account does not exist, or it is not yours', {
    leaves: 'FAILED payment',
  }),
  TO_ACCOUNT_NOT_FOUND: problem(404, 'The receiving account does not exist'),
  MANDATE_NOT_FOUND: problem(404, 'The mandate does not exist, or you may not use it for this', {
    leaves: 'FAILED payment',
  }),
  PAYMENT_NOT_FOUND: problem(404, 'The payment does not exist, or it is not yours'),
  CAPTURE_NOT_FOUND: problem(404, 'The capture does not exist, or it is not yours'),
  REFUND_NOT_FOUND: problem(404, 'The refund does not exist, or it is not yours'),
  TRANSACTION_NOT_FOUND: problem(404, 'The transaction does not exist, or it is not yours'),
  USER_NOT_FOUND: problem(404, 'The user does not exist'),
  SECOND_FACTOR_NOT_FOUND: problem(404, 'The second factor does not exist, or it is not yours'),
  SESSION_NOT_FOUND: problem(404, 'The session does not exist, or it is not yours'),
  API_CLIENT_NOT_FOUND: problem(404, 'The API client does not exist'),
  CLIENT_KEY_NOT_FOUND: problem(404, 'The API client has no such key'),
  SUPPRESSION_NOT_FOUND: problem(404, 'The suppressed address does not exist'),
  RULE_NOT_FOUND: problem(404, 'The rule does not exist'),
  RECONCILIATION_NOT_FOUND: problem(404, 'The reconciliation does not exist'),
  EVENT_NOT_FOUND: problem(404, 'The event does not exist, is no longer kept, or is not yours'),
  ENDPOINT_NOT_FOUND: problem(404, 'The webhook endpoint does not exist, or it is not yours'),
  DEAD_LETTER_NOT_FOUND: problem(404, 'The dead letter does not exist, or was sent back'),
  DELIVERY_NOT_FOUND: problem(404, 'The delivery does not exist, or it is not yours'),
  NOTHING_SEALED: problem(404, 'Nothing is sealed yet', LATER),
  METHOD_NOT_ALLOWED: problem(405, 'The path does not support this method'),
  REQUEST_TIMEOUT: problem(408, 'The request took too long to arrive', LATER),
  CONFLICT: problem(409, 'The request conflicts with another', LATER),
  INVALID_STATE: problem(409, 'The state does not allow this', { ...NEVER, key: 'final' }),
  ACCOUNT_CLOSED: problem(409, 'The account is closed', NEVER),
  ACCOUNT_NOT_EMPTY: problem(409, 'The account is not empty', { fixedBy: 'operator' }),
  TO_ACCOUNT_NOT_ACTIVE: problem(409, 'The receiving account is not active', {
    fixedBy: 'operator',
    retry: 'later',
    key: 'final',
    leaves: 'FAILED capture',
  }),
  TO_ACCOUNT_CLOSED: problem(409, 'The receiving account is closed', {
    ...NEVER,
    key: 'final',
    leaves: 'FAILED capture',
  }),
  USERNAME_TAKEN: problem(409, 'The username is taken'),
  TOO_MANY_SECOND_FACTORS: problem(409, 'The user has too many second factors'),
  LAST_SECOND_FACTOR: problem(409, 'The role needs a second factor', { fixedBy: 'operator', retry: 'never' }),
  PASSKEYS_NOT_AVAILABLE: problem(409, 'This platform has no passkeys', {
    fixedBy: 'operator',
    retry: 'never',
  }),
  LAST_OPERATOR: problem(409, 'The last enabled user with the role keeps it', {
    fixedBy: 'operator',
    retry: 'never',
  }),
  NO_EMAIL_TO_CONFIRM: problem(409, 'There is no address to confirm', { fixedBy: 'operator' }),
  RULE_NAME_TAKEN: problem(409, 'The name is taken by another rule'),
  API_CLIENT_REVOKED: problem(409, 'The API client is revoked', NEVER),
  CLIENT_KEY_EXISTS: problem(409, 'The API client has another key with this id'),
  CLIENT_KEY_REQUIRED: problem(409, 'The API client has no key'),
  TOO_MANY_CLIENT_KEYS: problem(409, 'The API client has the maximum number of keys'),
  TOO_MANY_HOLDS: problem(409, 'The account has too many open holds for the test clock'),
  NOT_SEALED_YET: problem(409, 'The payment is not sealed yet', LATER),
  RECONCILIATION_RUNNING: problem(409, 'A reconciliation is running', LATER),
  ENDPOINT_DISABLED: problem(409, 'The webhook endpoint is disabled'),
  TOO_MANY_ENDPOINTS: problem(409, 'You have the maximum number of webhook endpoints'),
  IDEMPOTENCY_IN_PROGRESS: problem(409, 'A request with this key is still in progress', {
    ...LATER,
    key: 'unknown',
    leaves: 'unknown',
  }),
  VERSION_MISMATCH: problem(412, 'Another caller changed it first'),
  BODY_TOO_LARGE: problem(413, 'The body is too large'),
  UNSUPPORTED_MEDIA_TYPE: problem(415, 'The content type must be application/json'),
  CURRENCY_MISMATCH: problem(422, 'The two accounts have different currencies'),
  SAME_ACCOUNT: problem(422, 'The two accounts are the same'),
  CAPTURE_EXCEEDS_AUTHORIZED: problem(422, 'The amount is more than what is left on hold', { key: 'final' }),
  REFUND_EXCEEDS_CAPTURED: problem(422, 'The amount is more than what is left to refund', { key: 'final' }),
  IDEMPOTENCY_KEY_REUSED: problem(422, 'The key was used for another request', { key: 'taken' }),
  INVALID_CONFIRMATION_TOKEN: problem(422, 'The link is not valid, or no longer'),
  URL_NOT_ALLOWED: problem(422, 'The URL is not allowed'),
  UNPROCESSABLE: problem(422, 'The request is valid but cannot be carried out'),
  PRECONDITION_REQUIRED: problem(428, 'The header If-Match is missing'),
  TOO_MANY_REQUESTS: problem(429, 'Too many requests', LATER),
  TOO_MANY_STREAMS: problem(429, 'Too many streams', LATER),
  TOO_MANY_LOGINS: problem(429, 'Too many logins', LATER),
  TOO_MANY_CONFIRMATIONS: problem(429, 'Too many links were requested', LATER),
  HEADERS_TOO_LARGE: problem(431, 'The headers are too large'),
  INTERNAL: problem(500, 'Something went wrong on our side', {
    fixedBy: 'operator',
    retry: 'later',
    ...UNKNOWN,
  }),
  OVERLOADED: problem(503, 'Overloaded: nothing was done', LATER),
  UNAVAILABLE: problem(503, 'A part of the platform is unavailable', { ...LATER, ...UNKNOWN }),
  NOT_READY: problem(503, 'Not ready', LATER),
  TIMEOUT: problem(504, 'There was no response in time', { ...LATER, ...UNKNOWN }),
} as const satisfies Record<string, ProblemFacts>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Decline codes of a refund. The receiver of the payment pays the refund. */
export const REFUND_DECLINES = [
  'INSUFFICIENT_BALANCE',
  'FROM_ACCOUNT_NOT_ACTIVE',
  'FROM_ACCOUNT_CLOSED',
  'TO_ACCOUNT_NOT_ACTIVE',
  'TO_ACCOUNT_CLOSED',
] as const satisfies readonly AnyDecline[];

/** Decline codes of a payment, with a 402. FROM_ACCOUNT_NOT_FOUND and MANDATE_NOT_FOUND are missing: they are sent as a 404. */
export const DECLINES = [
  ...REFUND_DECLINES,
  'TO_ACCOUNT_NOT_FOUND',
  'CURRENCY_MISMATCH',
  'PER_PAYMENT_LIMIT_EXCEEDED',
  'DAILY_LIMIT_EXCEEDED',
  'MONTHLY_LIMIT_EXCEEDED',
  'DAILY_COUNT_EXCEEDED',
  'MANDATE_NOT_ACTIVE',
  'MANDATE_LIMIT_EXCEEDED',
  'RULE_DECLINED',
] as const satisfies readonly AnyDecline[];

export type DeclineCode = (typeof DECLINES)[number];

/** Every value that the `code` of a problem may have. */
export const ALL_CODES: readonly string[] = [...new Set([...Object.keys(PROBLEMS), ...DECLINES])];
