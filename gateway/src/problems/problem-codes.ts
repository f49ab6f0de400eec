/** The closed list of problem codes, and the code for each error of another service. */
import { status as grpc } from '@grpc/grpc-js';

/** Every `code` of a problem, except the decline codes. */
export const PROBLEMS = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  INVALID_JSON: { status: 400, title: 'The body is not acceptable JSON' },
  INVALID_SCOPE: { status: 400, title: 'The API client does not have this scope' },
  INVALID_CURSOR: { status: 400, title: 'The cursor is not valid' },
  IDEMPOTENCY_KEY_REQUIRED: { status: 400, title: 'The header Idempotency-Key is missing' },
  IDEMPOTENCY_KEY_INVALID: { status: 400, title: 'The header Idempotency-Key is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'A valid access token is required' },
  INVALID_CREDENTIALS: { status: 401, title: 'The credentials are not valid' },
  INVALID_CLIENT_ASSERTION: { status: 401, title: 'The client assertion is not valid' },
  SECOND_FACTOR_REQUIRED: { status: 401, title: 'The login needs a second factor' },
  INVALID_SECOND_FACTOR: { status: 401, title: 'The second factor is not valid' },
  INVALID_REFRESH_TOKEN: { status: 401, title: 'The refresh token is not valid' },
  PAYMENT_DECLINED: { status: 402, title: 'The payment was declined' },
  REFUND_DECLINED: { status: 402, title: 'The refund was declined' },
  ROLE_NOT_ALLOWED: { status: 403, title: 'Your role may not do this' },
  CROSS_SITE_REQUEST: { status: 403, title: 'The request comes from a page of another origin' },
  ACTION_NOT_ALLOWED: { status: 403, title: 'Your side of the payment may not do this' },
  LOGIN_TOO_OLD: { status: 403, title: 'This needs a recent login' },
  SECOND_FACTOR_SETUP_REQUIRED: { status: 403, title: 'A second factor must be set up first' },
  PASSWORD_CHANGE_REQUIRED: { status: 403, title: 'The one-time password must be replaced' },
  OWN_ACCOUNT: { status: 403, title: 'An operator may not do this with an account of its own' },
  NOT_YOUR_ENDPOINT: { status: 403, title: 'Only the owner of the webhook endpoint may do this' },
  INSUFFICIENT_SCOPE: { status: 403, title: 'The token’s scopes do not cover this' },
  NOT_FOUND: { status: 404, title: 'The resource does not exist, or it is not yours' },
  ACCOUNT_NOT_FOUND: { status: 404, title: 'The account does not exist, or it is not yours' },
  FROM_ACCOUNT_NOT_FOUND: { status: 404, title: 'The paying account does not exist, or it is not yours' },
  PAYMENT_NOT_FOUND: { status: 404, title: 'The payment does not exist, or it is not yours' },
  CAPTURE_NOT_FOUND: { status: 404, title: 'The capture does not exist, or it is not yours' },
  REFUND_NOT_FOUND: { status: 404, title: 'The refund does not exist, or it is not yours' },
  TRANSACTION_NOT_FOUND: { status: 404, title: 'The transaction does not exist, or it is not yours' },
  USER_NOT_FOUND: { status: 404, title: 'The user does not exist' },
  SECOND_FACTOR_NOT_FOUND: { status: 404, title: 'The second factor does not exist, or it is not yours' },
  SESSION_NOT_FOUND: { status: 404, title: 'The session does not exist, or it is not yours' },
  API_CLIENT_NOT_FOUND: { status: 404, title: 'The API client does not exist' },
  CLIENT_KEY_NOT_FOUND: { status: 404, title: 'The API client has no such key' },
  SUPPRESSION_NOT_FOUND: { status: 404, title: 'The suppressed address does not exist' },
  RULE_NOT_FOUND: { status: 404, title: 'The rule does not exist' },
  RECONCILIATION_NOT_FOUND: { status: 404, title: 'The reconciliation does not exist' },
  EVENT_NOT_FOUND: { status: 404, title: 'The event does not exist, is no longer kept, or is not yours' },
  ENDPOINT_NOT_FOUND: { status: 404, title: 'The webhook endpoint does not exist, or it is not yours' },
  DEAD_LETTER_NOT_FOUND: { status: 404, title: 'The dead letter does not exist, or was sent back' },
  DELIVERY_NOT_FOUND: { status: 404, title: 'The delivery does not exist, or it is not yours' },
  NOTHING_SEALED: { status: 404, title: 'Nothing is sealed yet' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The path does not support this method' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  CONFLICT: { status: 409, title: 'The request conflicts with another' },
  INVALID_STATE: { status: 409, title: 'The state does not allow this' },
  ACCOUNT_CLOSED: { status: 409, title: 'The account is closed' },
  ACCOUNT_NOT_EMPTY: { status: 409, title: 'The account is not empty' },
  TO_ACCOUNT_NOT_ACTIVE: { status: 409, title: 'The receiving account is not active' },
  USERNAME_TAKEN: { status: 409, title: 'The username is taken' },
  TOO_MANY_SECOND_FACTORS: { status: 409, title: 'The user has too many second factors' },
  LAST_SECOND_FACTOR: { status: 409, title: 'The role needs a second factor' },
  PASSKEYS_NOT_AVAILABLE: { status: 409, title: 'This platform has no passkeys' },
  LAST_OPERATOR: { status: 409, title: 'The last enabled user with the role keeps it' },
  NO_EMAIL_TO_CONFIRM: { status: 409, title: 'There is no address to confirm' },
  RULE_NAME_TAKEN: { status: 409, title: 'The name is taken by another rule' },
  API_CLIENT_REVOKED: { status: 409, title: 'The API client is revoked' },
  CLIENT_KEY_EXISTS: { status: 409, title: 'The API client has another key with this id' },
  CLIENT_KEY_REQUIRED: { status: 409, title: 'The API client has no key' },
  TOO_MANY_CLIENT_KEYS: { status: 409, title: 'The API client has the maximum number of keys' },
  NOT_SEALED_YET: { status: 409, title: 'The payment is not sealed yet' },
  RECONCILIATION_RUNNING: { status: 409, title: 'A reconciliation is running' },
  ENDPOINT_DISABLED: { status: 409, title: 'The webhook endpoint is disabled' },
  TOO_MANY_ENDPOINTS: { status: 409, title: 'You have the maximum number of webhook endpoints' },
  IDEMPOTENCY_IN_PROGRESS: { status: 409, title: 'A request with this key is still in progress' },
  VERSION_MISMATCH: { status: 412, title: 'Another caller changed it first' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The address is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type must be application/json' },
  SAME_ACCOUNT: { status: 422, title: 'The two accounts are the same' },
  CAPTURE_EXCEEDS_AUTHORIZED: { status: 422, title: 'The amount is more than what is left on hold' },
  REFUND_EXCEEDS_CAPTURED: { status: 422, title: 'The amount is more than what is left to refund' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The key was used for another request' },
  INVALID_CONFIRMATION_TOKEN: { status: 422, title: 'The link is not valid, or no longer' },
  URL_NOT_ALLOWED: { status: 422, title: 'The URL is not allowed' },
  UNPROCESSABLE: { status: 422, title: 'The request is valid but cannot be carried out' },
  PRECONDITION_REQUIRED: { status: 428, title: 'The header If-Match is missing' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  TOO_MANY_STREAMS: { status: 429, title: 'Too many streams' },
  TOO_MANY_LOGINS: { status: 429, title: 'Too many logins' },
  TOO_MANY_CONFIRMATIONS: { status: 429, title: 'Too many links were requested' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  OVERLOADED: { status: 503, title: 'Overloaded: nothing was done' },
  UNAVAILABLE: { status: 503, title: 'A part of the platform is unavailable' },
  NOT_READY: { status: 503, title: 'Not ready' },
  TIMEOUT: { status: 504, title: 'There was no response in time' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Decline codes of a refund. The receiver of the payment pays the refund. */
export const REFUND_DECLINES = [
  'INSUFFICIENT_BALANCE',
  'FROM_ACCOUNT_NOT_ACTIVE',
  'TO_ACCOUNT_NOT_ACTIVE',
] as const;

/** Decline codes of a payment, with a 402. FROM_ACCOUNT_NOT_FOUND is missing: it is sent as a 404. */
export const DECLINES = [
  ...REFUND_DECLINES,
  'TO_ACCOUNT_NOT_FOUND',
  'CURRENCY_MISMATCH',
  'PER_PAYMENT_LIMIT_EXCEEDED',
  'DAILY_LIMIT_EXCEEDED',
  'MONTHLY_LIMIT_EXCEEDED',
  'DAILY_COUNT_EXCEEDED',
  'RULE_DECLINED',
] as const;

export type DeclineCode = (typeof DECLINES)[number];

/** Problem codes by the reasons of other services. For other reasons, the gRPC code below decides. */
const BY_REASON: Record<string, ProblemCode> = {
  INSUFFICIENT_SCOPE: 'INSUFFICIENT_SCOPE',
  LOGIN_TOO_OLD: 'LOGIN_TOO_OLD',
  INVALID_CREDENTIALS: 'INVALID_CREDENTIALS',
  INVALID_REFRESH_TOKEN: 'INVALID_REFRESH_TOKEN',
  TOO_MANY_LOGINS: 'TOO_MANY_LOGINS',
  TOO_MANY_REQUESTS: 'TOO_MANY_REQUESTS',
  USERNAME_TAKEN: 'USERNAME_TAKEN',
  USER_NOT_FOUND: 'USER_NOT_FOUND',
  LAST_OPERATOR: 'LAST_OPERATOR',
  PASSWORD_CHANGE_REQUIRED: 'PASSWORD_CHANGE_REQUIRED',
  SESSION_NOT_FOUND: 'SESSION_NOT_FOUND',
  SECOND_FACTOR_REQUIRED: 'SECOND_FACTOR_REQUIRED',
  INVALID_SECOND_FACTOR: 'INVALID_SECOND_FACTOR',
  SECOND_FACTOR_NOT_FOUND: 'SECOND_FACTOR_NOT_FOUND',
  TOO_MANY_SECOND_FACTORS: 'TOO_MANY_SECOND_FACTORS',
  LAST_SECOND_FACTOR: 'LAST_SECOND_FACTOR',
  PASSKEYS_NOT_AVAILABLE: 'PASSKEYS_NOT_AVAILABLE',
  SECOND_FACTOR_SETUP_REQUIRED: 'SECOND_FACTOR_SETUP_REQUIRED',
  NO_EMAIL_TO_CONFIRM: 'NO_EMAIL_TO_CONFIRM',
  INVALID_CONFIRMATION_TOKEN: 'INVALID_CONFIRMATION_TOKEN',
  TOO_MANY_CONFIRMATIONS: 'TOO_MANY_CONFIRMATIONS',
  SUPPRESSION_NOT_FOUND: 'SUPPRESSION_NOT_FOUND',
  API_CLIENT_NOT_FOUND: 'API_CLIENT_NOT_FOUND',
  API_CLIENT_REVOKED: 'API_CLIENT_REVOKED',
  INVALID_CLIENT_ASSERTION: 'INVALID_CLIENT_ASSERTION',
  INVALID_SCOPE: 'INVALID_SCOPE',
  CLIENT_KEY_NOT_FOUND: 'CLIENT_KEY_NOT_FOUND',
  CLIENT_KEY_EXISTS: 'CLIENT_KEY_EXISTS',
  CLIENT_KEY_REQUIRED: 'CLIENT_KEY_REQUIRED',
  TOO_MANY_CLIENT_KEYS: 'TOO_MANY_CLIENT_KEYS',
  RULE_NOT_FOUND: 'RULE_NOT_FOUND',
  RULE_NAME_TAKEN: 'RULE_NAME_TAKEN',
  EVENT_NOT_FOUND: 'EVENT_NOT_FOUND',
  ENDPOINT_NOT_FOUND: 'ENDPOINT_NOT_FOUND',
  DEAD_LETTER_NOT_FOUND: 'DEAD_LETTER_NOT_FOUND',
  DELIVERY_NOT_FOUND: 'DELIVERY_NOT_FOUND',
  NOT_YOUR_ENDPOINT: 'NOT_YOUR_ENDPOINT',
  ENDPOINT_DISABLED: 'ENDPOINT_DISABLED',
  TOO_MANY_ENDPOINTS: 'TOO_MANY_ENDPOINTS',
  URL_NOT_ALLOWED: 'URL_NOT_ALLOWED',
  NOTHING_SEALED: 'NOTHING_SEALED',
  NOT_SEALED_YET: 'NOT_SEALED_YET',
  RECONCILIATION_NOT_FOUND: 'RECONCILIATION_NOT_FOUND',
  RECONCILIATION_RUNNING: 'RECONCILIATION_RUNNING',
  ACCOUNT_NOT_FOUND: 'ACCOUNT_NOT_FOUND',
  FROM_ACCOUNT_NOT_FOUND: 'FROM_ACCOUNT_NOT_FOUND',
  PAYMENT_NOT_FOUND: 'PAYMENT_NOT_FOUND',
  CAPTURE_NOT_FOUND: 'CAPTURE_NOT_FOUND',
  REFUND_NOT_FOUND: 'REFUND_NOT_FOUND',
  TRANSACTION_NOT_FOUND: 'TRANSACTION_NOT_FOUND',
  SAME_ACCOUNT: 'SAME_ACCOUNT',
  INVALID_STATE: 'INVALID_STATE',
  ACTION_NOT_ALLOWED: 'ACTION_NOT_ALLOWED',
  OWN_ACCOUNT: 'OWN_ACCOUNT',
  CAPTURE_EXCEEDS_AUTHORIZED: 'CAPTURE_EXCEEDS_AUTHORIZED',
  REFUND_EXCEEDS_CAPTURED: 'REFUND_EXCEEDS_CAPTURED',
  TO_ACCOUNT_NOT_ACTIVE: 'TO_ACCOUNT_NOT_ACTIVE',
  VERSION_MISMATCH: 'VERSION_MISMATCH',
  ACCOUNT_CLOSED: 'ACCOUNT_CLOSED',
  ACCOUNT_NOT_EMPTY: 'ACCOUNT_NOT_EMPTY',
  CURRENCY_UNKNOWN: 'INVALID_REQUEST',
  INVALID_PAGE_TOKEN: 'INVALID_CURSOR',
  IDEMPOTENCY_KEY_REQUIRED: 'IDEMPOTENCY_KEY_REQUIRED',
  IDEMPOTENCY_KEY_REUSED: 'IDEMPOTENCY_KEY_REUSED',
  REQUEST_ID_REUSED: 'IDEMPOTENCY_KEY_REUSED',
  IDEMPOTENCY_IN_PROGRESS: 'IDEMPOTENCY_IN_PROGRESS',
};

/** Problem codes by gRPC code, for all other errors. Exhaustive: the compiler reports a missing one. */
const BY_GRPC_CODE: Record<grpc, ProblemCode> = {
  [grpc.OK]: 'INTERNAL',
  [grpc.CANCELLED]: 'INTERNAL',
  [grpc.UNKNOWN]: 'INTERNAL',
  [grpc.INVALID_ARGUMENT]: 'INVALID_REQUEST',
  [grpc.DEADLINE_EXCEEDED]: 'TIMEOUT',
  [grpc.NOT_FOUND]: 'NOT_FOUND',
  [grpc.ALREADY_EXISTS]: 'CONFLICT',
  [grpc.PERMISSION_DENIED]: 'ROLE_NOT_ALLOWED',
  [grpc.RESOURCE_EXHAUSTED]: 'OVERLOADED',
  [grpc.FAILED_PRECONDITION]: 'UNPROCESSABLE',
  [grpc.ABORTED]: 'CONFLICT',
  [grpc.OUT_OF_RANGE]: 'INVALID_REQUEST',
  [grpc.UNIMPLEMENTED]: 'INTERNAL',
  [grpc.INTERNAL]: 'INTERNAL',
  [grpc.UNAVAILABLE]: 'UNAVAILABLE',
  [grpc.DATA_LOSS]: 'INTERNAL',
  [grpc.UNAUTHENTICATED]: 'UNAUTHENTICATED',
};

export function codeOfNeighbour({ reason, code }: { reason: string; code: grpc }): ProblemCode {
  return BY_REASON[reason] ?? BY_GRPC_CODE[code] ?? 'INTERNAL';
}

/** Problem codes by the framework's error codes. For other errors, the HTTP status decides. */
const BY_FRAMEWORK_CODE: Record<string, ProblemCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'INVALID_JSON',
  FST_ERR_CTP_INVALID_JSON_BODY: 'INVALID_JSON',
  FST_UNDER_PRESSURE: 'OVERLOADED',
};

export function codeOfFramework(error: { code?: unknown; statusCode?: unknown }): ProblemCode {
  const { code, statusCode } = error;
  if (typeof code === 'string') {
    // Codes of @fastify/jwt and fast-jwt. All mean that the token is not valid.
    if (code.startsWith('FST_JWT_') || code.startsWith('FAST_JWT_')) return 'UNAUTHENTICATED';
    const known = BY_FRAMEWORK_CODE[code];
    if (known) return known;
  }
  if (statusCode === 404) return 'NOT_FOUND';
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
    ? 'INVALID_REQUEST'
    : 'INTERNAL';
}
