/**
 * Refuses requests early under overload: before the token is verified, the body parsed or an idempotency key taken. This is the one place
 * where requests are turned away; the services behind are never sent more than they can answer in time.
 *
 * Each lane has a limiter of its own, so that a slow part of the platform does not close the others: the reads of payments are one lane,
 * the writes of payments another.
 */
import type { Logger } from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { PROBLEM_TYPE, ProblemError, problemBody } from '../problems/problem.ts';
import { createLimiter, type Limiter } from './limiter.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For probes: they must be answered under overload too. */
    alwaysAdmitted?: boolean;
    /** Set here. Routes without one cost too little to be refused. */
    limiter?: Limiter;
  }
  interface FastifyRequest {
    /** Set once the client has gone away before the answer. Ends the request's place among those in flight. */
    finishAbandoned: (() => void) | undefined;
  }
}

const OVERLOADED = new ProblemError('OVERLOADED', 'Overloaded: nothing was done. Try again later.');
const RETRY_AFTER_S = '1';

export function admitRequests(app: FastifyInstance, { log }: { log: Logger }): void {
  const refusals = countRefusals(app, log);
  app.decorateRequest('finishAbandoned');
  giveLanes(app);

  app.addHook('onRequest', (request, reply, done) => {
    const { limiter } = request.routeOptions.config;
    if (!limiter) return done();
    const caller = request.caller?.id ?? request.ip;
    if (!limiter.admit(caller)) {
      refusals.count();
      return refuse(request, reply);
    }
    // Every answer and every lost connection ends with exactly one 'close'.
    reply.raw.once('close', () => {
      if (reply.sent) limiter.finish(caller);
      // The work behind goes on without a client, and still takes its place.
      else request.finishAbandoned = () => limiter.finish(caller);
    });
    done();
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    request.finishAbandoned?.();
    done(null, payload);
  });
}

/** Tags name the resource. Routes without tags are the documentation. */
function giveLanes(app: FastifyInstance): void {
  const lanes = new Map<string, Limiter>();
  app.addHook('onRoute', (route) => {
    const lane = laneOf(route);
    if (lane === undefined) return;
    const limiter = lanes.get(lane) ?? createLimiter(() => performance.now());
    lanes.set(lane, limiter);
    route.config = { ...route.config, limiter };
  });
}

function laneOf({ method, schema, config }: RouteOptions): string | undefined {
  const [tag] = schema?.tags ?? [];
  if (tag === undefined || config?.alwaysAdmitted) return undefined;
  return `${tag} ${method === 'GET' || method === 'HEAD' ? 'reads' : 'writes'}`;
}

/** Without the way of an error through the framework: a refusal has to be cheap. */
function refuse(request: FastifyRequest, reply: FastifyReply): void {
  reply
    .code(503)
    .header('retry-after', RETRY_AFTER_S)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemBody(OVERLOADED, request.url, request.id)));
}

const LOG_EVERY_MS = 1_000;

/** One line of log a second, instead of one for each refusal. */
function countRefusals(app: FastifyInstance, log: Logger) {
  let refused = 0;
  const timer = setInterval(() => {
    if (refused > 0) log.warn({ refused }, 'overloaded: requests were refused');
    refused = 0;
  }, LOG_EVERY_MS).unref();
  app.addHook('onClose', async () => clearInterval(timer));
  return {
    count() {
      refused += 1;
    },
  };
}
