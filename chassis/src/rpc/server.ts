/** Serves gRPC: every call has a verified caller, declared access, a deadline, a trace, and errors with reasons. */
import {
  type handleUnaryCall,
  Server,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Keys } from '../keys.ts';
import type { Logger } from '../telemetry/log.ts';
import { type SecurityEvents, securityEventsOf } from '../telemetry/security-events.ts';
import { runInTrace, type Trace } from '../telemetry/trace.ts';
import type { Certificates } from '../tls/certificates.ts';
import { serverCredentials } from '../tls/credentials.ts';
import type { Access, AccessTable } from './access.ts';
import {
  type AdmissionRule,
  type Admissions,
  createAdmissions,
  header,
  withinDeadline,
} from './admission.ts';
import { measureServed } from './call-metrics.ts';
import { recordServed } from './call-spans.ts';
import type { Caller, Origin } from './caller.ts';
import {
  asBytes,
  type MethodDefinition,
  type OnBehalf,
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
import { createPeers } from './peers.ts';
import { recordRefusal } from './refusals.ts';

/** The context of a call, for its handler. */
export interface Call extends OnBehalf {
  /** The id of this call, made here. Log lines and audit records have it, because a caller can choose its trace and request id. */
  id: string;
  /** Defined unless access is open to anyone. */
  caller: Caller | undefined;
  /** The service that made the connection, by its certificate. Users' calls come from the gateway. */
  service: string | undefined;
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

export function originOf(call: Call): Origin {
  const { id, clientId } = requireCaller(call);
  return { callerId: id, clientId, traceId: call.trace.traceId, callId: call.id };
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
  /** The server's own certificate, and the CAs of its callers' certificates. */
  certificates: Certificates;
  verifier: TokenVerifier;
  /** The age of a login from which actions with `recentLogin` need a new one. 0: none do. Default: RECENT_LOGIN_S. */
  recentLoginS?: number;
  /**
   * Authenticates page tokens; the same for all instances of a service. Undefined lets tokens pass as they are: only for fakes of
   * services in tests.
   */
  pageTokenKey: Keys | undefined;
  log: Logger;
  /** Default: the server is healthy until it drains. */
  health?: HealthChecks;
  /** Time after which a connection without calls is closed. */
  idleConnectionMs?: number;
  /** The most connections of clients without a certificate of the platform. */
  maxStrangers?: number;
  /** Concurrent calls of a connection. */
  maxStreams?: number;
  /** Maximum milliseconds of a health check or a call for reflection. */
  longestOtherMs?: number;
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
/** A connection that was never without calls gets its notice this long after the start of the drain. */
const LEAVE_LIMIT_MS = 6_000;
/** Concurrent calls of a connection. More wait at the client. A gateway admits a burst of 1,000 requests, each with one call at a time. */
const MAX_STREAMS = 2_000;
/** Our own clients reconnect at their next call. */
const IDLE_CONNECTION_MS = 5 * 60_000;
/** Clients without a certificate are operators and probes. Each connection costs memory and an open file. */
const MAX_STRANGERS = 500;
/** The least size limit of a request. A field that is a little beyond its limits then gets an error with its name. */
const LEAST_MESSAGE_LIMIT_BYTES = 64 * 1024;

export async function serveGrpc(settings: GrpcServerSettings, services: BoundService[]): Promise<GrpcServer> {
  const { host, port, reflection, log } = settings;
  const rules = new Map(services.flatMap(admissionRules));
  const { certificates } = settings;
  const parts = { ...settings, peers: createPeers(certificates), events: securityEventsOf(log) };
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

  const boundPort = await bind(server, `${host}:${port}`, certificates);
  const { idleConnectionMs: idleMs = IDLE_CONNECTION_MS, maxStrangers = MAX_STRANGERS } = settings;
  const connections = closeIdleConnections(server, { idleMs, maxStrangers });
  log.info({ host, port: boundPort, services: names }, 'serving gRPC');
  return {
    port: boundPort,
    async drain() {
      health.stop();
      const startedAt = performance.now();
      await connections.leave(LEAVE_LIMIT_MS);
      await shutdown(server, DRAIN_LIMIT_MS - elapsed(startedAt));
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

function bind(server: Server, address: string, certificates: Certificates): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, serverCredentials(certificates), (error, port) => {
      if (error) reject(new Error(`cannot listen on ${address}: ${error.message}`));
      else resolve(port);
    });
  });
}

function shutdown(server: Server, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, limitMs);
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
        measureServed(path, status.OK, startedAt);
        recordServed(admission.trace, startedAt, path, status.OK);
        log.debug({ rpc: path, ms: elapsed(startedAt) }, 'answered');
      } catch (error) {
        const rpcStatus = toRpcStatus(error, service.errors, log);
        callback(toStatusObject(rpcStatus));
        measureServed(path, rpcStatus.code, startedAt);
        recordServed(admission.trace, startedAt, path, rpcStatus.code);
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
