/**
 * Calls to other services: they return promises, have a deadline, are balanced over the instances, and are retried only if that
 * is safe.
 */
import { type ChannelOptions, Metadata, status } from '@grpc/grpc-js';
import { childOf, currentTrace, type Trace } from '../telemetry/trace.ts';
import type { Certificates } from '../tls/certificates.ts';
import { measureMade } from './call-metrics.ts';
import { recordedCall } from './call-spans.ts';
import { type Channels, openChannels } from './channels.ts';
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

/** The caller in whose name another service is called: its own token, and the time until which it waits. */
export interface OnBehalf {
  accessToken: string | undefined;
  deadline: Date;
}

/** Every call has a deadline. Of two deadlines, the earlier one counts. */
export type CallSettings = (
  | { deadlineMs: number; deadline?: Date | undefined }
  | { deadlineMs?: undefined; deadline: Date }
) & {
  /** Calls in the name of this user, and not of the service itself. */
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
  /** Our certificate, which identifies this service, and the CAs of the other side's. */
  certificates: Certificates;
  /**
   * Methods that may be retried on another instance after the connection broke or stopped responding. These only read, or have an
   * id that makes them idempotent.
   */
  retryable?: readonly (keyof S & string)[];
  /** The service at the target, for a contract that several services serve. Default: the one that the contract names. */
  service?: string;
}

/**
 * Opens a channel to another service. It connects at the first call, and reconnects if needed. Calls reject with NeighbourError.
 */
export function connectGrpc<S extends ServiceMethods>(
  clientClass: ClientClass<S>,
  settings: NeighbourSettings<S>,
): Neighbour<S> {
  const { target, certificates, retryable = [] } = settings;
  const { service = serviceOf(clientClass.serviceName) } = settings;
  const options = channelOptions(clientClass, service, retryable);
  const channels = openChannels({ target, service, certificates }, options);
  const calls = Object.entries(clientClass.service).map(([name, method]) => {
    const isRetryable = retryable.includes(name);
    const call = async (request: unknown, settings: CallSettings) => {
      const { accessToken } = settings;
      const bytes = method.requestSerialize(request);
      const deadline = deadlineOf(settings);
      const current = currentTrace();
      const trace = current && childOf(current);
      const attempt = (metadata = metadataOf(accessToken, trace)) =>
        callOnce(channels, method.path, bytes, metadata, deadline);
      const answer = await recordedCall(trace, { path: method.path, service }, () =>
        attempt().catch((error) => {
          if (!(isRetryable && wasDropped(error))) throw error;
          return attempt(asRetry(metadataOf(accessToken, trace)));
        }),
      );
      return method.responseDeserialize(answer);
    };
    return [name, call] as const;
  });
  return {
    ...Object.fromEntries(calls),
    isServing: (deadlineMs: number) => checkHealth(channels, clientClass.serviceName, deadlineMs),
    close: () => channels.close(),
  } as Neighbour<S>;
}

/** `payflowx.payment.v1.PaymentService` is a contract of the service `payment`. */
export function serviceOf(serviceName: string): string {
  return serviceName.split('.')[1] ?? '';
}

/** Calls grpc.health.v1.Health/Check. Both messages have one field, so their bytes are written and read here. */
function checkHealth(channels: Channels, service: string, deadlineMs: number): Promise<boolean> {
  const name = Buffer.from(service);
  const request = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const SERVING = Buffer.from([0x08, 0x01]);
  const deadline = Date.now() + deadlineMs;
  return callOnce(channels, '/grpc.health.v1.Health/Check', request, new Metadata(), deadline).then(
    (answer) => SERVING.equals(answer),
    () => false,
  );
}

/** The call keeps every variable of this scope. So the scope contains bytes, and no messages. See asBytes. */
function callOnce(channels: Channels, path: string, bytes: Buffer, metadata: Metadata, deadline: number) {
  const channel = channels.take();
  const startedAt = performance.now();
  return new Promise<Buffer>((resolve, reject) => {
    channel.client.makeUnaryRequest(
      path,
      asBytes,
      asBytes,
      bytes,
      metadata,
      { deadline },
      (error, answer) => {
        channels.release(channel);
        measureMade(path, error?.code ?? status.OK, startedAt);
        if (error) reject(fromServiceError(error));
        else resolve(answer ?? Buffer.alloc(0));
      },
    );
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

function metadataOf(accessToken: string | undefined, trace: Trace | undefined): Metadata {
  const metadata = new Metadata();
  if (accessToken !== undefined) metadata.set('authorization', `Bearer ${accessToken}`);
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

function channelOptions<S>(
  { serviceName }: ClientClass<S>,
  service: string,
  retryable: readonly string[],
): ChannelOptions {
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
    // Without it, grpc-js sends an IP address as the name of the server, which TLS does not allow.
    'grpc.ssl_target_name_override': service,
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
