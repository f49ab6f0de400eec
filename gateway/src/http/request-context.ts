/** The context of a request: its id and its trace. Also writes its log line after the response. */
import type { IncomingHttpHeaders } from 'node:http';
import {
  type Logger,
  newId,
  recordSpan,
  runInTrace,
  SpanKind,
  type Trace,
  traceOfStranger,
} from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for streams: their duration says nothing. */
    isLongLived?: boolean;
  }
  interface FastifyRequest {
    /** Undefined only in the log line of a request that was refused because of load. */
    trace: Trace;
  }
}

/** A caller's own id is accepted if it is safe in headers and logs. */
const VALID_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,99}$/;

export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && VALID_REQUEST_ID.test(given) ? given : newId('req');
}

/** Every response names its request. */
export function nameRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}

export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('trace');
  app.addHook('onRequest', (request, _reply, done) => {
    request.trace = traceOfStranger(request.headers.traceparent as string | undefined, request.id);
    // Calls to other services run inside the trace, so that each call carries it.
    runInTrace(request.trace, done);
  });
}

/**
 * Records the span of each request, by OpenTelemetry's conventions: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 * The path, the query and the address of the client are left out: they may contain names and tokens.
 */
export function recordRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { config, url: route = 'unknown' } = request.routeOptions;
    const { method, protocol } = request;
    const { statusCode } = reply;
    const startedAt = performance.now() - reply.elapsedTime;
    if (!config.isLongLived)
      recordSpan(request.trace, startedAt, statusCode >= 500 ? String(statusCode) : undefined, () => ({
        name: `${method} ${route}`,
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          'http.route': route,
          'http.response.status_code': statusCode,
          'url.scheme': protocol,
        },
      }));
    done();
  });
}

/** Logs slow requests at warn, and all others at debug, one line each. Failures have log lines of their own (problem.ts). */
export function logRequests(app: FastifyInstance, { log, slowMs }: { log: Logger; slowMs: number }): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { isLongLived } = request.routeOptions.config;
    if (reply.elapsedTime >= slowMs && !isLongLived) log.warn(lineOf(request, reply), 'slow request');
    // The line is built only if it is logged.
    else if (log.isLevelEnabled('debug')) log.debug(lineOf(request, reply), 'request');
    done();
  });
}

function lineOf(request: FastifyRequest, reply: FastifyReply) {
  return {
    method: request.method,
    // The pattern, not the path, so that ids do not split the statistics.
    route: request.routeOptions.url,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    request_id: request.id,
    trace_id: (request.trace as Trace | undefined)?.traceId,
    subject: request.caller?.id,
  };
}
