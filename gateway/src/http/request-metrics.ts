/** Measures requests, by OpenTelemetry's conventions: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ */
import { counter, histogram } from '@payflowx/chassis';
import type { FastifyInstance } from 'fastify';

const durations = histogram('http.server.request.duration', {
  description: 'Duration of requests',
  unit: 's',
});
const replays = counter('payflowx.idempotent_replays', {
  description: 'Requests that got the response of an earlier one with the same key',
});

/** Streams are left out: their duration says nothing. The route is the pattern and not the path, so that its values are bounded. */
export function measureRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { config, url = 'unknown' } = request.routeOptions;
    if (!config.isLongLived)
      durations.record(reply.elapsedTime / 1_000, {
        'http.request.method': request.method,
        'http.route': url,
        'http.response.status_code': reply.statusCode,
      });
    if (reply.hasHeader('idempotent-replayed')) replays.add(1, { 'http.route': url });
    done();
  });
}
