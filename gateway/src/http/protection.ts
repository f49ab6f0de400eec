/** Protects the gateway itself: security headers, allowed origins, rate limits per caller, and load shedding. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import cors from '@fastify/cors';
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import helmet from 'helmet';
import type { Refuse } from '../admission/refuse.ts';
import type { Config } from '../config.ts';
import { ProblemError } from '../problems/problem.ts';

const MINUTE_MS = 60_000;

type Settings = Config['protection'];

export async function protect(app: FastifyInstance, settings: Settings, refuse: Refuse): Promise<void> {
  await shedLoad(app, settings, refuse);
  await app.register(rateLimit, {
    max: settings.requestsPerMinute,
    timeWindow: MINUTE_MS,
    cache: 10_000,
    enableDraftSpec: true,
    keyGenerator: (request) => request.caller?.id ?? networkOf(request),
    errorResponseBuilder: () => tooManyRequests(),
  });
  announceLimit(app, settings.requestsPerMinute);
}

/**
 * Sends the limit in the form of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit` and `RateLimit-Policy`. The plugin knows only
 * the three headers of an older draft, which are removed.
 */
function announceLimit(app: FastifyInstance, perMinute: number): void {
  const policy = `"requests";q=${perMinute};w=${MINUTE_MS / 1000}`;
  app.addHook('onSend', (_request, reply, payload, done) => {
    const left = reply.getHeader('ratelimit-remaining');
    if (left !== undefined) {
      reply.header('ratelimit', `"requests";r=${left};t=${reply.getHeader('ratelimit-reset')}`);
      reply.header('ratelimit-policy', policy);
      for (const name of OLD_LIMIT_HEADERS) reply.removeHeader(name);
    }
    done(null, payload);
  });
}

const OLD_LIMIT_HEADERS = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'];

/**
 * Limits logins by address and name, and refreshes by address and session, after the body is parsed. The limit of all requests of an
 * address applies too. This limit stops a program that sends one wrong password again and again. It does not count by address alone:
 * an attacker who guesses many names would block logins of all users behind a shared address. Auth delays such guesses, because it
 * knows which users log in from the address.
 */
export function limitLogins<Body>(
  app: Pick<FastifyInstance, 'createRateLimit'>,
  { perMinute, nameOf }: { perMinute: number; nameOf: (body: Body, request: FastifyRequest) => string },
): (request: FastifyRequest) => Promise<void> {
  const count = app.createRateLimit({
    max: perMinute,
    timeWindow: MINUTE_MS,
    keyGenerator: (request) => `${networkOf(request)} ${nameOf(request.body as Body, request).toLowerCase()}`,
  });
  return async (request) => {
    const limit = await count(request);
    if (!limit.isAllowed && limit.isExceeded) {
      throw tooManyRequests({ 'retry-after': String(limit.ttlInSeconds) });
    }
  };
}

/** For IPv6, the /64 network counts: a client with one address of it has all of them. */
export function networkOf({ ip }: FastifyRequest): string {
  return normalizeIP(ip);
}

function tooManyRequests(headers: Record<string, string> = {}): ProblemError {
  const detail = 'Too many requests. Try again after the time in Retry-After.';
  return new ProblemError('TOO_MANY_REQUESTS', detail, { headers });
}

/** The API sends only data, so a browser must not run, frame or sniff any of it. /docs has its own policy. */
export function setSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
}

/** Helmet's headers are the same for all requests, so it runs once and not for each request. */
export const SECURITY_HEADERS = headersOfHelmet();

function headersOfHelmet(): Record<string, string> {
  const setHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    crossOriginEmbedderPolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    dnsPrefetchControl: false,
    ieNoOpen: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  });
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  setHeaders({} as IncomingMessage, response as unknown as ServerResponse, () => undefined);
  return headers;
}

/** A process that has just started compiles its code. For a moment it is slow, but not overloaded. */
const SETTLING_MS = 5_000;

/** The name that the plugin reports when `maxEventLoopDelay` is exceeded. */
const EVENT_LOOP_DELAY = 'eventLoopDelay';

/** The last resort, for load that the limit on requests in flight (see admission) does not see. */
async function shedLoad(app: FastifyInstance, { pressure }: Settings, refuse: Refuse): Promise<void> {
  let settledAt = Number.POSITIVE_INFINITY;
  app.addHook('onListen', async () => {
    settledAt = performance.now() + SETTLING_MS;
  });
  await app.register(underPressure, {
    // With a shorter interval, a startup that blocks the loop for a moment would leave no sample, which counts as infinite delay.
    sampleInterval: 1_000,
    maxEventLoopDelay: pressure.eventLoopDelayMs,
    maxHeapUsedBytes: pressure.heapBytes,
    maxRssBytes: pressure.rssBytes,
    pressureHandler: (request, reply, kind) => {
      if (kind === EVENT_LOOP_DELAY && performance.now() < settledAt) return undefined;
      refuse(request, reply);
      // The plugin continues with the request when this promise settles. It never does.
      return new Promise<never>(() => undefined);
    },
  });
}

export async function allowOrigins(app: FastifyInstance, { allowedOrigins }: Settings): Promise<void> {
  if (allowedOrigins.length === 0) return;
  await app.register(cors, {
    origin: allowedOrigins,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'if-match',
      'last-event-id',
      'traceparent',
      'x-request-id',
    ],
    exposedHeaders: [
      'etag',
      'idempotent-replayed',
      'location',
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'x-request-id',
    ],
    maxAge: 600,
  });
}
