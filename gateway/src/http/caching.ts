/** The Cache-Control of responses. No response may be cached, unless its route declares that it is the same for all callers. */
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Seconds for which any cache may keep a successful response of this route. Undefined: no response may be cached. */
    maxAgeS?: number;
  }
}

/** Every problem has it too, on public routes as well: an error is about one request (problem.ts). */
export const NO_STORE = 'no-store';

/** For documents that change with a release. The keys that verify tokens are cached for less time: see signing-keys.ts. */
export const DOCUMENT_MAX_AGE_S = 300;

/** Must be added before the hooks that refuse requests, so that refused requests have the header too. */
export function limitCaching(app: FastifyInstance): void {
  app.addHook('onRequest', ({ routeOptions }, reply, done) => {
    const { maxAgeS } = routeOptions.config;
    reply.header('cache-control', maxAgeS === undefined ? NO_STORE : `public, max-age=${maxAgeS}`);
    done();
  });
}
