/** Serves gRPC: every call has a verified caller, declared access, a deadline, a trace, and errors with reasons. */
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Logger } from '../telemetry/log.ts';
import { createSecurityEvents, type SecurityEvents } from '../telemetry/security-events.ts';
import { runInTrace, type Trace } from '../telemetry/trace.ts';
import type { Access, AccessTable } from './access.ts';
import {
  type AdmissionRule,
  type Admissions,
  createAdmissions,
  header,
  withinDeadline,
} from './admission.ts';
import type { Caller } from './caller.ts';
import {
  asBytes,
  type MethodDefinition,
  PREVIOUS_ATTEMPTS,
  type RequestOf,
  type ResponseOf,
  type ServiceMethods,
} from './client.ts';
import { CallError, type ErrorTable, toRpcStatus, toStatusObject } from './errors.ts';
import { type HealthChecks, serveHealth } from './health.ts';
import type { TokenVerifier } from './identity.ts';
import { closeIdleConnections } from './idle-connections.ts';
import { limitsOfRequest, maxRequestBytes } from './limits.ts';
import { withPageTokens } from './page-tokens.ts';
import { recordRefusal } from './refusals.ts';

/** The context of a call, for its handler. */
export interface Call {
  /** The id of this call, made here. Log lines and audit records have it, because a caller can choose its trace and request id. */
  id: string;
  /** Defined unless access is open to anyone. */
  caller: Caller | undefined;
  accessToken: string | undefined;
  /** The time until which the caller waits. */
  deadline: Date;
  trace: Trace;
  /** The IP address and port of the caller. */
  peer: string;
  /**
   * True if this call is a retry by the caller's gRPC library. This or another instance may still be working on an earlier
   * attempt.
   *
   * The header is not authenticated: any caller can send it, and the gateway's own retries have the token of an end user. So it must
   * not permit anything. It only decides whether a duplicate in progress is refused or waits for the first attempt's outcome.
   */
  isRetry: boolean;
}

export function requireCaller({ caller }: Call): Caller {
  if (!caller) throw new CallError('UNAUTHENTICATED', 'This call needs an access token.');
  return caller;
}

export type Handlers<S extends ServiceMethods> = {
  [K in keyof S]: (request: RequestOf<S[K]>, call: Call) => Promise<ResponseOf<S[K]>>;
};

export interface BoundService {
  definition: ServiceMethods;
  access: Record<string, Access>;
  errors: ErrorTable;
  handlers: Record<string, (request: never, call: Call) => Promise<unknown>>;
  longestMs?: Record<string, number>;
}

export interface ServiceParts<S extends ServiceMethods> {
  access: AccessTable<S>;
  errors: ErrorTable;
  handlers: Handlers<S>;
  /** Maximum milliseconds of a call of these methods. Every other method has LONGEST_CALL_MS. */
  longestMs?: Partial<Record<keyof S & string, number>>;
}

/** Connects a contract to its access table, its errors and its handlers. */
export function bindService<S extends ServiceMethods>(definition: S, parts: ServiceParts<S>): BoundService {
  return { definition, ...parts } as unknown as BoundService;
}

export interface GrpcServerSettings {
  host: string;
  /** 0 picks a free port. */
  port: number;
  reflection: boolean;
  verifier: TokenVerifier;
  /**
   * Authenticates page tokens; the same for all instances of a service. Undefined lets tokens pass as they are: only for fakes of
   * services in tests.
   */
  pageTokenKey: Buffer | undefined;
  log: Logger;
  /** Default: the server is healthy until it drains. */
  health?: HealthChecks;
  /** Time after which a connection without calls is closed. */
  idleConnectionMs?: number;
  /** Concurrent calls of a connection. */
  maxStreams?: number;
}

export interface GrpcServer {
  port: number;
  /** Reports NOT_SERVING to health checks, finishes the calls in flight, then closes. */
  drain(): Promise<void>;
}

/** The latest possible deadline: callers cannot make the server work for longer. */
const LONGEST_CALL_MS = 60_000;
/** Calls that still run this long after the start of the drain are cancelled. */
const DRAIN_LIMIT_MS = 8_000;
/** Concurrent calls of a connection. More wait at the client. A gateway admits a burst of 1,000 requests, each with one call at a time. */
const MAX_STREAMS = 2_000;
/** Our own clients reconnect at their next call. */
const IDLE_CONNECTION_MS = 5 * 60_000;
/** The least size limit of a request. A field that is a little beyond its limits then gets an error with its name. */
const LEAST_MESSAGE_LIMIT_BYTES = 64 * 1024;

export async function serveGrpc(settings: GrpcServerSettings, services: BoundService[]): Promise<GrpcServer> {
  const { host, port, reflection, log } = settings;
  const rules = new Map(services.flatMap(admissionRules));
  const parts = { ...settings, events: createSecurityEvents(log) };
  const admissions = createAdmissions(rules, parts);
  const server = new Server({
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.max_concurrent_streams': settings.maxStreams ?? MAX_STREAMS,
    interceptors: [admissions.interceptor],
  });
  const names = services.map(({ definition }) => serviceNameOf(definition));
  for (const service of services) {
    server.addService(carryingBytes(service.definition), implementationOf(service, admissions, parts));
  }
  const health = serveHealth(server, names, settings.health ?? {}, log);
  if (reflection) (await import('./reflection.ts')).addReflection(server, names);

  const boundPort = await bind(server, `${host}:${port}`);
  closeIdleConnections(server, settings.idleConnectionMs ?? IDLE_CONNECTION_MS);
  log.info({ host, port: boundPort, services: names }, 'serving gRPC');
  return {
    port: boundPort,
    async drain() {
      health.stop();
      await shutdown(server);
    },
  };
}

function admissionRules({
  definition,
  access,
  errors,
  longestMs = {},
}: BoundService): [string, AdmissionRule][] {
  return Object.entries(definition).map(([name, { path }]) => [
    path,
    {
      access: access[name] as Access,
      errors,
      longestMs: longestMs[name] ?? LONGEST_CALL_MS,
      maxBytes: Math.max(LEAST_MESSAGE_LIMIT_BYTES, maxRequestBytes(path)),
    },
  ]);
}

function carryingBytes(definition: ServiceMethods): ServiceDefinition {
  const carriers = {
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  };
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [name, { ...method, ...carriers }]),
  );
}

function serviceNameOf(definition: ServiceMethods): string {
  // "/payflowx.payment.v1.PaymentService/GetPayment"
  return Object.values(definition)[0]?.path.split('/')[1] ?? '';
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(new Error(`cannot listen on ${address}: ${error.message}`));
      else resolve(port);
    });
  });
}

function shutdown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, DRAIN_LIMIT_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

type HandlerParts = Pick<GrpcServerSettings, 'pageTokenKey' | 'log'> & { events: SecurityEvents };

function implementationOf(
  service: BoundService,
  admissions: Admissions,
  parts: HandlerParts,
): UntypedServiceImplementation {
  const entries = Object.keys(service.definition).map((method) => [
    method,
    handle(service, method, admissions, parts),
  ]);
  return Object.fromEntries(entries);
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;

function handle(
  service: BoundService,
  method: string,
  admissions: Admissions,
  { pageTokenKey, log, events }: HandlerParts,
): handleUnaryCall<Buffer, Buffer> {
  const { path, requestDeserialize, responseSerialize } = service.definition[method] as MethodDefinition;
  const handler = service.handlers[method] as (request: never, call: Call) => Promise<unknown>;
  const check = limitsOfRequest(path);
  const paged = withPageTokens(service.definition[method] as MethodDefinition, pageTokenKey);

  const answer = async (bytes: Buffer, call: Call) => {
    const request = decoded(requestDeserialize, bytes);
    check(request);
    const response = await paged(request, call.caller, (opened) => handler(opened as never, call));
    return responseSerialize(response);
  };

  return (grpcCall, callback) => {
    const { startedAt, ...admission } = admissions.of(grpcCall.metadata);
    runInTrace(admission.trace, async () => {
      try {
        const call = { ...admission, peer: grpcCall.getPeer(), isRetry: isRetry(grpcCall) };
        const response = await withinDeadline(answer(grpcCall.request, call), call.deadline);
        callback(null, response);
        log.debug({ rpc: path, ms: elapsed(startedAt) }, 'answered');
      } catch (error) {
        const rpcStatus = toRpcStatus(error, service.errors, log);
        callback(toStatusObject(rpcStatus));
        const refused = { route: path, address: grpcCall.getPeer(), caller: admission.caller };
        recordRefusal(events, error, rpcStatus.code, refused);
        log.debug({ rpc: path, ms: elapsed(startedAt), code: rpcStatus.code }, 'refused');
      }
    });
  };
}

function isRetry({ metadata }: UnaryCall): boolean {
  return header(metadata, PREVIOUS_ATTEMPTS) !== undefined;
}

function decoded<T>(decode: (bytes: Buffer) => T, bytes: Buffer): T {
  try {
    return decode(bytes);
  } catch {
    throw new CallError('UNREADABLE_REQUEST', 'The request is not a message of this method.');
  }
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 100) / 100;
}
