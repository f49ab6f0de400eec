/** Who may keep an answer: nobody, except where a route says that its answers are the same for everyone. */
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Seconds for which anyone may keep a successful answer of this route. Left out: no answer may be kept. */
    maxAgeS?: number;
  }
}

/** Also on every problem, of public routes too: an error is about one request (problem.ts). */
export const NO_STORE = 'no-store';

/** For documents that change with a release. Keys that tokens are verified with are kept for less: signing-keys.ts. */
export const DOCUMENT_MAX_AGE_S = 300;

/** A request that is refused on its way has the header too, so this comes before what refuses. */
export function limitCaching(app: FastifyInstance): void {
  app.addHook('onRequest', ({ routeOptions }, reply, done) => {
    const { maxAgeS } = routeOptions.config;
    reply.header('cache-control', maxAgeS === undefined ? NO_STORE : `public, max-age=${maxAgeS}`);
    done();
  });
}
