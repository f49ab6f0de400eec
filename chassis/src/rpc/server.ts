/** Serves gRPC: every call has a verified caller, declared access, a deadline, a trace, and errors with reasons. */
import {
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { newId } from '../ids.ts';
import { inTime } from '../process/in-time.ts';
import type { Logger } from '../telemetry/log.ts';
import { createSecurityEvents, type SecurityEvents } from '../telemetry/security-events.ts';
import { runInTrace, type Trace, traceFrom } from '../telemetry/trace.ts';
import { type Access, type AccessTable, admit } from './access.ts';
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
import type { TokenVerifier } from './identity.ts';
import { recordRefusal, recordRefusedToken } from './refusals.ts';

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
  log: Logger;
}

export interface GrpcServer {
  port: number;
  /** Reports NOT_SERVING to health checks, finishes the calls in flight, then closes. */
  drain(): Promise<void>;
}

/** The deadline of a call without one. */
const DEFAULT_DEADLINE_MS = 30_000;
/** The latest possible deadline: callers cannot make the server work for longer. */
const LONGEST_CALL_MS = 60_000;
/** Calls that still run this long after the start of the drain are cancelled. */
const DRAIN_LIMIT_MS = 8_000;

export async function serveGrpc(settings: GrpcServerSettings, services: BoundService[]): Promise<GrpcServer> {
  const { host, port, reflection, log } = settings;
  const parts = { ...settings, events: createSecurityEvents(log) };
  const server = new Server({
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
  });
  const names = services.map(({ definition }) => serviceNameOf(definition));
  for (const service of services) {
    server.addService(carryingBytes(service.definition), implementationOf(service, parts));
  }
  const health = new HealthImplementation(
    Object.fromEntries(['', ...names].map((name) => [name, 'SERVING'])),
  );
  health.addToServer(server);
  if (reflection) (await import('./reflection.ts')).addReflection(server, names);

  const boundPort = await bind(server, `${host}:${port}`);
  log.info({ host, port: boundPort, services: names }, 'serving gRPC');
  return {
    port: boundPort,
    async drain() {
      for (const name of ['', ...names]) health.setStatus(name, 'NOT_SERVING');
      await shutdown(server);
    },
  };
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

type HandlerParts = Pick<GrpcServerSettings, 'verifier' | 'log'> & { events: SecurityEvents };

function implementationOf(service: BoundService, parts: HandlerParts): UntypedServiceImplementation {
  const entries = Object.keys(service.definition).map((method) => [method, handle(service, method, parts)]);
  return Object.fromEntries(entries);
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;

function handle(service: BoundService, method: string, parts: HandlerParts): handleUnaryCall<Buffer, Buffer> {
  const { path, requestDeserialize, responseSerialize } = service.definition[method] as MethodDefinition;
  const access = service.access[method] as Access;
  const handler = service.handlers[method] as (request: never, call: Call) => Promise<unknown>;
  const longestMs = service.longestMs?.[method] ?? LONGEST_CALL_MS;
  const { verifier, log, events } = parts;

  const answer = async (
    grpcCall: UnaryCall,
    trace: Trace & { callId: string },
    deadline: Date,
    known: { caller?: Caller | undefined },
  ) => {
    const accessToken = bearerToken(grpcCall.metadata);
    const caller = await admit(access, accessToken, verifier, (error) =>
      recordRefusedToken(events, error, { route: path, address: grpcCall.getPeer() }),
    );
    known.caller = caller;
    const call: Call = {
      id: trace.callId,
      caller,
      accessToken,
      deadline,
      trace,
      peer: grpcCall.getPeer(),
      isRetry: header(grpcCall.metadata, PREVIOUS_ATTEMPTS) !== undefined,
    };
    const response = await handler(decoded(requestDeserialize, grpcCall.request) as never, call);
    return responseSerialize(response);
  };

  return (grpcCall, callback) => {
    const given = traceFrom(
      header(grpcCall.metadata, 'traceparent'),
      header(grpcCall.metadata, 'x-request-id'),
    );
    const trace = { ...given, callId: newId('call') };
    runInTrace(trace, async () => {
      const startedAt = performance.now();
      const deadline = deadlineOf(grpcCall, longestMs);
      const known: { caller?: Caller | undefined } = {};
      try {
        const response = await withinDeadline(answer(grpcCall, trace, deadline, known), deadline);
        callback(null, response);
        log.debug({ rpc: path, ms: elapsed(startedAt) }, 'answered');
      } catch (error) {
        const rpcStatus = toRpcStatus(error, service.errors, log);
        callback(toStatusObject(rpcStatus));
        const refused = { route: path, address: grpcCall.getPeer(), caller: known.caller };
        recordRefusal(events, error, rpcStatus.code, refused);
        log.debug({ rpc: path, ms: elapsed(startedAt), code: rpcStatus.code }, 'refused');
      }
    });
  };
}

function decoded<T>(decode: (bytes: Buffer) => T, bytes: Buffer): T {
  try {
    return decode(bytes);
  } catch {
    throw new CallError('UNREADABLE_REQUEST', 'The request is not a message of this method.');
  }
}

function header(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return typeof value === 'string' ? value : undefined;
}

function bearerToken(metadata: Metadata): string | undefined {
  return header(metadata, 'authorization')?.match(/^Bearer (\S+)$/i)?.[1];
}

/** grpc-js passes a number, a Date, or Infinity for no deadline. */
function deadlineOf(call: UnaryCall, longestMs: number): Date {
  const at = Number(call.getDeadline());
  const now = Date.now();
  return new Date(Number.isFinite(at) ? Math.min(at, now + longestMs) : now + DEFAULT_DEADLINE_MS);
}

/** The work continues after the deadline. Its commit stays, and the caller's retry with the same id finds it. */
function withinDeadline<T>(work: Promise<T>, deadline: Date): Promise<T> {
  return inTime(work, deadline.getTime() - Date.now(), () => {
    throw new CallError('DEADLINE_EXCEEDED', 'There was no answer in time.');
  });
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 100) / 100;
}
