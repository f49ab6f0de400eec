/** Records the spans of calls, by OpenTelemetry's conventions: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/ */
import { status } from '@grpc/grpc-js';
import { isRecorded, recordSpan, SpanKind } from '../telemetry/spans.ts';
import type { Trace } from '../telemetry/trace.ts';
import { NeighbourError } from './errors.ts';

/** These codes are faults of the server. Every other one is an answer to its caller. */
const SERVER_FAULTS: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

/** Records an incoming call, or one item of a batch as the call that it stands for. `path` is that of a known method. */
export function recordServed(
  trace: Trace,
  startedAt: number,
  path: string,
  code: status,
  attributes: Record<string, string> = {},
): void {
  recordSpan(trace, startedAt, SERVER_FAULTS.has(code) ? status[code] : undefined, () => ({
    name: path.slice(1),
    kind: SpanKind.SERVER,
    attributes: { ...attributesOf(path, code), ...attributes },
  }));
}

/** Makes an outgoing call. Settles as it does, and records its span if `trace` is recorded. */
export function recordedCall<T>(
  trace: Trace | undefined,
  { path, service }: { path: string; service: string },
  call: () => Promise<T>,
): Promise<T> {
  if (!isRecorded(trace)) return call();
  const startedAt = performance.now();
  const record = (code: status) =>
    recordSpan(trace, startedAt, code === status.OK ? undefined : (status[code] ?? 'UNKNOWN'), () => ({
      name: path.slice(1),
      kind: SpanKind.CLIENT,
      attributes: { ...attributesOf(path, code), 'server.address': service },
    }));
  return call().then(
    (answer) => {
      record(status.OK);
      return answer;
    },
    (error) => {
      record(error instanceof NeighbourError ? error.code : status.UNKNOWN);
      throw error;
    },
  );
}

function attributesOf(path: string, code: status) {
  return {
    'rpc.system.name': 'grpc',
    'rpc.method': path.slice(1),
    'rpc.response.status_code': status[code] ?? 'UNKNOWN',
  };
}
