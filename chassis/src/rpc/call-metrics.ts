/** Measures calls, by OpenTelemetry's conventions: https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/ */
import { status } from '@grpc/grpc-js';
import { histogram } from '../telemetry/metrics.ts';

const served = histogram('rpc.server.call.duration', {
  description: 'Duration of incoming calls',
  unit: 's',
});
const made = histogram('rpc.client.call.duration', {
  description: 'Duration of outgoing calls',
  unit: 's',
});

/** `path` is the path of a known method: `/payflowx.payment.v1.PaymentService/GetPayment`. `startedAt` is by performance.now(). */
export const measureServed = (path: string, code: status, startedAt: number) =>
  served.record(secondsSince(startedAt), labelsOf(path, code));

export const measureMade = (path: string, code: status, startedAt: number) =>
  made.record(secondsSince(startedAt), labelsOf(path, code));

function labelsOf(path: string, code: status) {
  return {
    'rpc.system.name': 'grpc',
    'rpc.method': path.slice(1),
    'rpc.response.status_code': status[code] ?? 'UNKNOWN',
  };
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}
