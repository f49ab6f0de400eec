/** What every request carries: its id, its trace, and on the way out the one line of log. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Logger, newId, runInTrace, type Trace, traceFrom } from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    trace: Trace;
  }
}

/** A caller's own id is taken over if it can do no harm in headers and logs. */
const SANE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,99}$/;

export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : newId('req');
}

export function carryContext(app: FastifyInstance): void {
  app.decorateRequest('trace');
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    request.trace = traceFrom(request.headers.traceparent as string | undefined, request.id);
    // Neighbours are called within, so that the trace goes with every call.
    runInTrace(request.trace, done);
  });
}

/** Slow requests at warn; the others only where somebody debugs, one line each. Failures have lines of their own (problem.ts). */
export function logRequests(app: FastifyInstance, { log, slowMs }: { log: Logger; slowMs: number }): void {
  app.addHook('onResponse', (request, reply, done) => {
    if (reply.elapsedTime >= slowMs) log.warn(lineOf(request, reply), 'slow request');
    // The line is not even made where nobody reads it.
    else if (log.isLevelEnabled('debug')) log.debug(lineOf(request, reply), 'request');
    done();
  });
}

function lineOf(request: FastifyRequest, reply: FastifyReply) {
  return {
    method: request.method,
    // The pattern, not the address: ids belong to no one's statistics.
    route: request.routeOptions.url,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    request_id: request.id,
    trace_id: request.trace.traceId,
    subject: request.caller?.id,
  };
}
