/**
 * Calls to other services: they return promises, have a deadline, are balanced over the instances, and are retried only if that
 * is safe.
 */
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
 * The serializer for grpc-js, which passes bytes through. A call keeps its messages as long as its HTTP/2 stream, which V8 frees
 * only in a full marking. Any object in place of bytes would stay in the old generation until then. See docs/internals/cost.md.
 */
export const asBytes = (bytes: Buffer): Buffer => bytes;

export type ServiceMethods = Record<string, MethodDefinition>;
export type RequestOf<M extends MethodDefinition> = ReturnType<M['requestDeserialize']>;
export type ResponseOf<M extends MethodDefinition> = ReturnType<M['responseDeserialize']>;

/** Every call has a deadline. Of two deadlines, the earlier one counts. */
export type CallSettings = (
  | { deadlineMs: number; deadline?: Date | undefined }
  | { deadlineMs?: undefined; deadline: Date }
) & {
  /** Calls with this user's token instead of the service's own. */
  accessToken?: string | undefined;
};

export type Neighbour<S> = {
  [K in keyof S]: S[K] extends MethodDefinition
    ? (request: RequestOf<S[K]>, settings: CallSettings) => Promise<ResponseOf<S[K]>>
    : never;
} & {
  /** Returns true if an instance is serving, by the standard health protocol over the same channel. Never rejects. */
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
  /** Returns the service's own access token, for methods that require one. */
  token?: () => Promise<string>;
  /**
   * Methods that may be retried on another instance after the connection broke or stopped responding. These only read, or have an
   * id that makes them idempotent.
   */
  retryable?: readonly (keyof S & string)[];
}

/**
 * Opens a channel to another service. It connects at the first call, and reconnects if needed. Calls reject with NeighbourError.
 */
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

/** Calls grpc.health.v1.Health/Check. Both messages have one field, so their bytes are written and read here. */
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

/** The call keeps every variable of this scope. So the scope contains bytes, and no messages. See asBytes. */
function callOnce(client: Client, path: string, bytes: Buffer, metadata: Metadata, deadline: number) {
  return new Promise<Buffer>((resolve, reject) => {
    client.makeUnaryRequest(path, asBytes, asBytes, bytes, metadata, { deadline }, (error, answer) => {
      if (error) reject(fromServiceError(error));
      else resolve(answer ?? Buffer.alloc(0));
    });
  });
}

/**
 * True if grpc-js dropped the connection without a retry of the call. It does not retry after the first bytes of a response. This
 * happens after a long pause of our own process, because the timer of a probe fires before the responses that arrived meanwhile
 * are read.
 */
function wasDropped(error: unknown): boolean {
  return (
    error instanceof NeighbourError &&
    error.code === status.UNAVAILABLE &&
    error.message === 'Connection dropped'
  );
}

/**
 * gRPC libraries set it on every attempt except the first (https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
 */
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

/** Leaves out metadata that gRPC does not accept: a trace with invalid characters must not prevent the call. */
function setIfValid(metadata: Metadata, name: string, value: string): void {
  try {
    metadata.set(name, value);
  } catch {
    // The called service begins a new trace.
  }
}

registerLeastRequests();

/**
 * Interval of the probes on a connection with calls in flight, and the time after which an unanswered probe closes it. So the
 * client leaves a hung instance within 1.7 s. Its calls fail as UNAVAILABLE, and the retryable ones go to another instance.
 *
 * An instance with slow work still answers probes, so a slow database takes no instance out. The timeout is far above the pauses
 * of a busy event loop.
 */
const PROBE_EVERY_MS = 300;
const PROBE_TIMEOUT_MS = 1_400;

/**
 * Retries stop after 500 failed calls in a row, and resume after successes. In the long run at most one call in ten is a retry.
 * So a service that refuses all calls does not get three times the load. All calls of one hung instance can still go to another.
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
  // gRPC names methods in PascalCase, as in the contract.
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
    // Idle connections are not probed: the first call on a dead one notices it as fast.
    'grpc.keepalive_permit_without_calls': 0,
    // A restarted instance is back within a second or two. The default would avoid it for two minutes.
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 2_000,
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
  };
}
