/** Until when a request is worked on: one rule for all routes, counted from the request's arrival, its waits inside the gateway included. */
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For a route that is long by nature; its description in the OpenAPI document says so too. */
    deadlineMs?: number;
  }
  interface FastifyRequest {
    /** No neighbour is waited for beyond this. */
    deadline: Date;
  }
}

/** The promise of the API's description: by then a caller has an answer, on every route that names no time of its own. */
export const ANSWER_WITHIN_MS = 8_000;
/** What remains for the answer itself when the neighbours' time is over. */
const ANSWER_MARGIN_MS = 500;
export const MAX_DEADLINE_MS = ANSWER_WITHIN_MS - ANSWER_MARGIN_MS;

export function limitTime(app: FastifyInstance, { deadlineMs }: { deadlineMs: number }): void {
  app.decorateRequest('deadline');
  app.addHook('onRequest', (request, _reply, done) => {
    const ownMs = request.routeOptions.config?.deadlineMs;
    request.deadline = new Date(Date.now() + (ownMs ?? deadlineMs));
    done();
  });
}
