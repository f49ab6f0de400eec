/** Calls to a neighbour: promises, a deadline on each, balanced over its instances, retried only where that is safe. */
import { type ChannelOptions, Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { currentTrace } from '../telemetry/trace.ts';
import { fromServiceError, NeighbourError } from './errors.ts';
import { LEAST_REQUESTS, registerLeastRequests } from './least-requests.ts';

/** One method of a ts-proto service definition. */
export interface MethodDefinition {
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  // biome-ignore-start lint/suspicious/noExplicitAny: the message types are inferred from these, whatever they are.
  requestSerialize(message: any): Buffer;
  requestDeserialize(bytes: Buffer): any;
  responseSerialize(message: any): Buffer;
  responseDeserialize(bytes: Buffer): any;
  // biome-ignore-end lint/suspicious/noExplicitAny: up to here.
}

/**
 * What grpc-js does with our messages: it carries bytes. A call holds its messages as long as its HTTP/2 stream, and V8 collects that
 * only when it marks the whole heap; so whatever else they are waits for it in the old generation. See docs/internals/cost.md.
 */
export const asBytes = (bytes: Buffer): Buffer => bytes;

export type ServiceMethods = Record<string, MethodDefinition>;
export type RequestOf<M extends MethodDefinition> = ReturnType<M['requestDeserialize']>;
export type ResponseOf<M extends MethodDefinition> = ReturnType<M['responseDeserialize']>;

/** There is no call without a deadline; of two, the earlier counts. */
export type CallSettings = (
  | { deadlineMs: number; deadline?: Date | undefined }
  | { deadlineMs?: undefined; deadline: Date }
) & {
  /** Calls in the name of this token's owner instead of our own. */
  accessToken?: string | undefined;
};

export type Neighbour<S> = {
  [K in keyof S]: S[K] extends MethodDefinition
    ? (request: RequestOf<S[K]>, settings: CallSettings) => Promise<ResponseOf<S[K]>>
    : never;
} & {
  /** Whether an instance says that it serves, by the standard health protocol over the same channel. Never rejects. */
  isServing(deadlineMs: number): Promise<boolean>;
  close(): void;
};

interface ClientClass<S> {
  service: S;
  serviceName: string;
}

export interface NeighbourSettings<S> {
  /** Any gRPC target: `consul:///payment`, `dns:///payment:50053`, `ipv4:127.0.0.1:50053`. */
  target: string;
  /** Our own access token, for methods that ask for one. */
  token?: () => Promise<string>;
  /** Methods that may be sent again, to another instance, when the connection broke or went silent: those that read, or carry an id that makes them idempotent. */
  retryable?: readonly (keyof S & string)[];
}

/** Opens a channel to a neighbour. It connects when first used, and again whenever that is needed. Rejects calls with NeighbourError. */
export function connectGrpc<S extends ServiceMethods>(
  clientClass: ClientClass<S>,
  { target, token, retryable = [] }: NeighbourSettings<S>,
): Neighbour<S> {
  const client = new Client(target, credentials.createInsecure(), channelOptions(clientClass, retryable));
  const calls = Object.entries(clientClass.service).map(([name, method]) => {
    const isRetryable = retryable.includes(name);
    const call = async (request: unknown, settings: CallSettings) => {
      const accessToken = settings.accessToken ?? (await token?.());
      const bytes = method.requestSerialize(request);
      const deadline = deadlineOf(settings);
      const attempt = (metadata = metadataOf(accessToken)) =>
        callOnce(client, method.path, bytes, metadata, deadline);
      const answer = await attempt().catch((error) => {
        if (!(isRetryable && wasDropped(error))) throw error;
        return attempt(asRetry(metadataOf(accessToken)));
      });
      return method.responseDeserialize(answer);
    };
    return [name, call] as const;
  });
  return {
    ...Object.fromEntries(calls),
    isServing: (deadlineMs: number) => checkHealth(client, clientClass.serviceName, deadlineMs),
    close: () => client.close(),
  } as Neighbour<S>;
}

/** grpc.health.v1.Health/Check. Both messages have one field, so their bytes are written and read right here. */
function checkHealth(client: Client, service: string, deadlineMs: number): Promise<boolean> {
  const name = Buffer.from(service);
  const request = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const SERVING = Buffer.from([0x08, 0x01]);
  const deadline = Date.now() + deadlineMs;
  return callOnce(client, '/grpc.health.v1.Health/Check', request, new Metadata(), deadline).then(
    (answer) => SERVING.equals(answer),
    () => false,
  );
}

/** What is in scope here, the call holds: bytes, and no message. See asBytes. */
function callOnce(client: Client, path: string, bytes: Buffer, metadata: Metadata, deadline: number) {
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(path, asBytes, asBytes, bytes, metadata, { deadline }, (error, answer) => {
      if (error) reject(fromServiceError(error));
      else resolve(answer ?? Buffer.alloc(0));
    });
  });
}

/**
 * Whether grpc-js gave up the connection without retrying the call: it does not retry once the first bytes of an answer are there. So it
 * is after a long pause of our own process: the timer of a probe runs out before the answers that have come meanwhile are read.
 */
function wasDropped(error: unknown): boolean {
  return (
    error instanceof NeighbourError &&
    error.code === status.UNAVAILABLE &&
    error.message === 'Connection dropped'
  );
}

/** Set by gRPC libraries on every attempt but the first (https://github.com/grpc/proposal/blob/master/A6-client-retries.md). */
export const PREVIOUS_ATTEMPTS = 'grpc-previous-rpc-attempts';

function asRetry(metadata: Metadata): Metadata {
  metadata.set(PREVIOUS_ATTEMPTS, '1');
  return metadata;
}

function deadlineOf({ deadlineMs = Number.POSITIVE_INFINITY, deadline }: CallSettings): number {
  return Math.min(Date.now() + deadlineMs, deadline?.getTime() ?? Number.POSITIVE_INFINITY);
}

function metadataOf(accessToken: string | undefined): Metadata {
  const metadata = new Metadata();
  if (accessToken !== undefined) metadata.set('authorization', `Bearer ${accessToken}`);
  const trace = currentTrace();
  if (trace) setIfValid(metadata, 'traceparent', trace.traceparent);
  if (trace?.requestId) setIfValid(metadata, 'x-request-id', trace.requestId);
  return metadata;
}

/** Metadata that gRPC does not accept is left out: a trace with odd characters must not stop the call that it describes. */
function setIfValid(metadata: Metadata, name: string, value: string): void {
  try {
    metadata.set(name, value);
  } catch {
    // The callee begins a trace of its own.
  }
}

registerLeastRequests();

/**
 * A connection with calls under way is probed this often, and given up when a probe is not answered in time. An instance that hangs is so
 * left within 1.7 s: its calls fail then as UNAVAILABLE, and the retryable ones go to another. An instance whose work is slow answers
 * probes all the same, so a slow database takes nobody out. The timeout is far above the pauses of a busy event loop.
 */
const PROBE_EVERY_MS = 300;
const PROBE_TIMEOUT_MS = 1_400;

/**
 * Retries stop once 500 calls in a row have failed, and come back with successes; at most one call in ten is a retry for long. So a
 * service that refuses everybody does not get three times the load, and all calls of one hung instance can still go to another.
 */
const RETRY_THROTTLING = { maxTokens: 1_000, tokenRatio: 0.1 };

function channelOptions<S>({ serviceName }: ClientClass<S>, retryable: readonly string[]): ChannelOptions {
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.05s',
    maxBackoff: '0.5s',
    backoffMultiplier: 3,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  // gRPC names methods as the contract does, in PascalCase.
  const name = retryable.map((method) => ({
    service: serviceName,
    method: method[0]?.toUpperCase() + method.slice(1),
  }));
  const methodConfig = name.length > 0 ? [{ name, retryPolicy }] : [];
  return {
    'grpc.service_config': JSON.stringify({
      loadBalancingConfig: [{ [LEAST_REQUESTS]: {} }],
      methodConfig,
      retryThrottling: RETRY_THROTTLING,
    }),
    'grpc.keepalive_time_ms': PROBE_EVERY_MS,
    'grpc.keepalive_timeout_ms': PROBE_TIMEOUT_MS,
    // Idle connections are left alone: the first call on one that has died finds out as fast.
    'grpc.keepalive_permit_without_calls': 0,
    // An instance that restarts is back within a second or two: do not stay away from it for the default two minutes.
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 2_000,
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
  };
}
