/**
 * The deadline of a request. All routes share one rule: the time counts from the request's arrival and includes its waits inside
 * the gateway.
 */
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For routes that take longer by nature. Their description in the OpenAPI document names the time. */
    deadlineMs?: number;
  }
  interface FastifyRequest {
    /** No call to another service lasts longer than this. */
    deadline: Date;
  }
}

/** The API's description promises a response within this time, on every route that names no time of its own. */
export const ANSWER_WITHIN_MS = 8_000;
/** Time for the response itself after the deadline of the calls to other services. */
const ANSWER_MARGIN_MS = 500;
export const MAX_DEADLINE_MS = ANSWER_WITHIN_MS - ANSWER_MARGIN_MS;

export function setDeadlines(app: FastifyInstance, { deadlineMs }: { deadlineMs: number }): void {
  app.decorateRequest('deadline');
  app.addHook('onRequest', (request, _reply, done) => {
    const ownMs = request.routeOptions.config?.deadlineMs;
    request.deadline = new Date(Date.now() + (ownMs ?? deadlineMs));
    done();
  });
}
