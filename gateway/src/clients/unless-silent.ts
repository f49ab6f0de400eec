/** Calls for answers that may be partial: a service that does not answer is left out. */
import { status as grpc } from '@grpc/grpc-js';
import { NeighbourError } from '@payflowx/chassis';
import type { FastifyRequest } from 'fastify';

/** The service is unavailable, silent or overloaded. Any other error is a fault and fails the request. */
const SILENT_CODES = new Set<grpc>([grpc.UNAVAILABLE, grpc.DEADLINE_EXCEEDED, grpc.RESOURCE_EXHAUSTED]);

/** Undefined if the service does not answer. Then the warning is logged, with these fields. */
export async function unlessSilent<T>(
  answer: Promise<T>,
  { log }: Pick<FastifyRequest, 'log'>,
  warning: string,
  fields: object = {},
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof NeighbourError) || !SILENT_CODES.has(error.code)) throw error;
    log.warn({ err: error, ...fields }, warning);
    return undefined;
  }
}
