/**
 * Refuses requests early under overload: mostly before the token is verified and the body parsed, and always before an
 * idempotency key is used. Only the gateway refuses requests because of load. It never sends the services more than they can answer in time.
 *
 * Each lane has its own limiter, so that one slow part of the platform does not block the others. For example, reads of payments
 * are one lane, and writes of payments another.
 */
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { networkOf } from '../http/protection.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import type { Refuse } from './refuse.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for probes: they are answered under overload too. */
    alwaysAdmitted?: boolean;
    /** Set by `admitRequests`. Routes without a limiter cost too little to be refused. */
    limiter?: Limiter;
  }
  interface FastifyRequest {
    /** Frees the slot that the request occupies; undefined if it occupies none. */
    freeSlot: ((isCompleted: boolean) => void) | undefined;
  }
}

/** A quota's refusal is cheap. Counted as a completion, it would raise the limit. */
const TOO_MANY_REQUESTS = 429;

/** Must be added before every hook that a refused request does not need. */
export function admitRequests(app: FastifyInstance, refuse: Refuse): void {
  app.decorateRequest('freeSlot');
  addLimiters(app);

  app.addHook('onRequest', (request, reply, done) => {
    const { limiter } = request.routeOptions.config;
    if (!limiter || limiter.hasRoom(callerOf(request))) return done();
    refuse(request, reply);
  });
  // A request occupies a slot only once its token is verified and its body is valid. Before that it costs no service anything, and
  // its client may take its time or disconnect.
  app.addHook('preHandler', (request, reply, done) => {
    const { limiter } = request.routeOptions.config;
    if (!limiter) return done();
    const caller = callerOf(request);
    if (!limiter.admit(caller)) return refuse(request, reply);
    request.freeSlot = (isCompleted) => limiter.finish(caller, isCompleted);
    done();
  });
  // Every handler ends here, also if its client has disconnected: the work went on, and occupied its slot until now.
  app.addHook('onSend', (request, reply, payload, done) => {
    const { freeSlot } = request;
    request.freeSlot = undefined;
    freeSlot?.(reply.statusCode !== TOO_MANY_REQUESTS);
    done(null, payload);
  });
}

/** Limits count by user, or by network as long as the token is unknown. */
function callerOf(request: FastifyRequest): string {
  return request.caller?.id ?? networkOf(request);
}

/**
 * Adds the limiter of its lane to each route. A route's first tag names the resource. Routes without tags are the documentation.
 */
function addLimiters(app: FastifyInstance): void {
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
