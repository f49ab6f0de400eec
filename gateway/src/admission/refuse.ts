/** Refuses a request because of load. Every refusal takes CPU from the requests that were admitted, so it does the least possible. */
import type { Logger } from '@payflowx/chassis';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NO_STORE } from '../http/caching.ts';
import { countInLog } from '../http/count-log.ts';
import { PROBLEM_TYPE, ProblemError, problemBody } from '../problems/problem.ts';
import { PROBLEMS } from '../problems/problem-codes.ts';

const OVERLOADED = new ProblemError('OVERLOADED', 'Overloaded: nothing was done. Try again later.');
const RETRY_AFTER_S = '1';

export type Refuse = (request: FastifyRequest, reply: FastifyReply) => void;

/**
 * The returned function writes the response directly, with the headers that were set so far. No further hook, no serializer and
 * no error handling runs.
 */
export function createRefuse(app: FastifyInstance, log: Logger): Refuse {
  const count = countInLog(app, log, 'overloaded: refused requests');
  return (request, reply) => {
    count();
    const body = JSON.stringify(problemBody(OVERLOADED, request.url, request.id));
    const headers = {
      ...(reply.getHeaders() as Record<string, string>),
      'cache-control': NO_STORE,
      'retry-after': RETRY_AFTER_S,
      'content-type': PROBLEM_TYPE,
      'content-length': Buffer.byteLength(body),
    };
    reply.hijack();
    reply.raw.writeHead(PROBLEMS.OVERLOADED.status, headers).end(body);
  };
}
