/**
 * Errors between services. Each service has a closed list of reasons and one table from reasons to gRPC codes. Errors are sent in
 * google.rpc's error model (https://google.aip.dev/193). An error that is in no table is a bug: it becomes INTERNAL, with an
 * error id to search for.
 */
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { type Any, BadRequest, ErrorInfo, RetryInfo, Status } from '@payflowx/proto/rpc';
import { BatcherClosedError, BatcherFullError } from '../batching/batcher.ts';
import { type ErrorDetails, ReasonedError, type Violation } from '../errors.ts';
import { newId } from '../ids.ts';
import { RunQueueFullError } from '../process/shared-runs.ts';
import { isStatementTimeout, isTransient } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Caller } from './caller.ts';

export interface ErrorTable {
  /** The name of the service. */
  domain: string;
  /** Returns the code of an error of this service; undefined for an unknown error. */
  codeOf(error: unknown): status | undefined;
}

/** Connects a service's error class to gRPC codes. `codes` must contain every reason: a missing one does not compile. */
export function errorTable<R extends string>(
  domain: string,
  errorClass: abstract new (...args: never[]) => ReasonedError<R>,
  codes: Record<R, status>,
): ErrorTable & { readonly codes: Readonly<Record<R, status>> } {
  return {
    domain,
    codes,
    codeOf: (error) => (error instanceof errorClass ? codes[(error as ReasonedError<R>).reason] : undefined),
  };
}

/** The reasons that any call to any service can have. */
export const CALL_CODES = {
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  IDENTITY_UNAVAILABLE: status.UNAVAILABLE,
  ROLE_NOT_ALLOWED: status.PERMISSION_DENIED,
  SERVICE_NOT_ALLOWED: status.PERMISSION_DENIED,
  INSUFFICIENT_SCOPE: status.PERMISSION_DENIED,
  LOGIN_TOO_OLD: status.PERMISSION_DENIED,
  SECOND_FACTOR_SETUP_REQUIRED: status.PERMISSION_DENIED,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  UNREADABLE_REQUEST: status.INVALID_ARGUMENT,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  INVALID_PAGE_SIZE: status.INVALID_ARGUMENT,
  INVALID_PAGE_TOKEN: status.INVALID_ARGUMENT,
  STOPPING: status.UNAVAILABLE,
  OVERLOADED: status.RESOURCE_EXHAUSTED,
  TOO_MANY_REQUESTS: status.RESOURCE_EXHAUSTED,
  DATABASE_UNAVAILABLE: status.UNAVAILABLE,
} as const;

/** Errors that any call to any service can have. */
export class CallError extends ReasonedError<keyof typeof CALL_CODES> {
  /** The caller that was refused, for the log. */
  readonly caller: Caller | undefined;
  constructor(
    reason: keyof typeof CALL_CODES,
    message: string,
    { caller, ...details }: ErrorDetails & { caller?: Caller } = {},
  ) {
    super(reason, message, details);
    this.caller = caller;
  }
}

/** The same error for every problem with a token. The cause is only logged. */
export function unauthenticated(cause?: unknown): CallError {
  const message = 'The access token is missing, malformed, expired or not ours.';
  return new CallError('UNAUTHENTICATED', message, { cause });
}

/** Returns the google.rpc.Status of `error`: by the service's table, by the table of all calls, or INTERNAL with an error id. */
export function toRpcStatus(error: unknown, table: ErrorTable, log: Logger): Status {
  const code = table.codeOf(error);
  if (code !== undefined) return describe(error as ReasonedError, code, table.domain);
  const callError = asCallError(error, log);
  if (callError) return describe(callError, CALL_CODES[callError.reason], table.domain);

  const errorId = newId('err');
  log.error({ err: error, error_id: errorId }, 'unexpected error');
  const metadata = { error_id: errorId };
  const internal = new ReasonedError('INTERNAL', 'Something went wrong on our side.', { metadata });
  return describe(internal, status.INTERNAL, table.domain);
}

/** Recognises errors that every service can have, so that services need no code for them. */
function asCallError(error: unknown, log: Logger): CallError | undefined {
  if (error instanceof CallError) return error;
  if (error instanceof BatcherClosedError) return new CallError('STOPPING', error.message);
  if (error instanceof BatcherFullError) return new CallError('OVERLOADED', error.message);
  if (error instanceof RunQueueFullError) {
    return new CallError('TOO_MANY_REQUESTS', error.message, { retryAfterMs: error.retryAfterMs });
  }
  if (isStatementTimeout(error)) {
    log.warn({ err: error }, 'a statement took too long');
    return new CallError('DEADLINE_EXCEEDED', 'The database did not finish in time.');
  }
  if (!isTransient(error)) return undefined;
  log.warn({ err: error }, 'the database did not answer');
  return new CallError('DATABASE_UNAVAILABLE', 'The service cannot reach its database at the moment.');
}

function describe(error: ReasonedError, code: status, domain: string): Status {
  const { reason, metadata = {}, violations = [], retryAfterMs } = error;
  const details = [pack('google.rpc.ErrorInfo', ErrorInfo.encode({ reason, domain, metadata }).finish())];
  if (violations.length > 0) {
    const fieldViolations = violations.map(({ field, description }) => ({ field, description }));
    details.push(pack('google.rpc.BadRequest', BadRequest.encode({ fieldViolations }).finish()));
  }
  if (retryAfterMs !== undefined) {
    const retryDelay = {
      seconds: BigInt(Math.trunc(retryAfterMs / 1000)),
      nanos: (retryAfterMs % 1000) * 1e6,
    };
    details.push(pack('google.rpc.RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
  }
  return { code, message: error.message, details };
}

function pack(type: string, value: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/${type}`, value: Buffer.from(value) };
}

const DETAILS_KEY = 'grpc-status-details-bin';

/** The form that grpc-js needs: code and message, and the whole status in the trailer. */
export function toStatusObject(rpcStatus: Status): StatusObject {
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(Status.encode(rpcStatus).finish()));
  return { code: rpcStatus.code, details: rpcStatus.message, metadata };
}

/** The error response of another service, parsed. The caller translates it, and never forwards it unchanged. */
export class NeighbourError extends Error {
  override readonly name = 'NeighbourError';
  readonly code: status;
  readonly reason: string;
  readonly domain: string;
  readonly metadata: Record<string, string>;
  readonly violations: readonly Violation[];
  readonly retryAfterMs: number | undefined;

  constructor({ code, message, details }: Status) {
    super(message);
    const info = unpack(details, 'google.rpc.ErrorInfo', ErrorInfo.decode);
    const retryDelay = unpack(details, 'google.rpc.RetryInfo', RetryInfo.decode)?.retryDelay;
    this.code = code;
    // Without details the error is from gRPC itself: no connection, no such method, or deadline exceeded.
    this.reason = info?.reason ?? status[code] ?? 'UNKNOWN';
    this.domain = info?.domain ?? 'grpc';
    this.metadata = info?.metadata ?? {};
    this.violations = unpack(details, 'google.rpc.BadRequest', BadRequest.decode)?.fieldViolations ?? [];
    this.retryAfterMs = retryDelay && Number(retryDelay.seconds) * 1000 + retryDelay.nanos / 1e6;
  }
}

function unpack<T>(details: readonly Any[], type: string, decode: (bytes: Uint8Array) => T): T | undefined {
  const any = details.find(({ typeUrl }) => typeUrl.endsWith(`/${type}`));
  return any && decodedOrUndefined(decode, any.value);
}

/** Details only add to the code and the message. Malformed ones of a foreign server must not replace the error by another. */
function decodedOrUndefined<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

export function fromRpcStatus(rpcStatus: Status): NeighbourError {
  return new NeighbourError(rpcStatus);
}

export function fromServiceError(error: ServiceError): NeighbourError {
  const { code, details: message } = error;
  const [bytes] = error.metadata?.get(DETAILS_KEY) ?? [];
  const rpcStatus = Buffer.isBuffer(bytes) ? decodedOrUndefined(Status.decode, bytes) : undefined;
  // The code of the call counts: details with another code, such as OK, are not from our services.
  return new NeighbourError({ message, details: [], ...rpcStatus, code });
}
