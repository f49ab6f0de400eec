/** The gateway's part of magic references: refused requests and slow answers. Only with SANDBOX=on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type PlayedStatus, readMagicReference } from '@payflowx/proto/sandbox';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problem.ts';
import type { ProblemCode } from '../problems/problem-codes.ts';

/** Slow answers at a time. Each occupies a place of the admission, which other callers need. */
const MAX_SLOW = 8;
let slow = 0;

const CODES: Record<PlayedStatus, ProblemCode> = { 429: 'TOO_MANY_REQUESTS', 503: 'OVERLOADED' };

/**
 * For a text that begins as a magic reference. Runs before the payment takes its key. Other services act on the other references. Throws the refusal that the reference asks for, and
 * INVALID_REQUEST for a text that begins as a magic reference and is none: a test with a typing error would otherwise pay.
 */
export async function playReference(request: FastifyRequest, reference: string): Promise<void> {
  const magic = readMagicReference(reference);
  if (magic === undefined) throw unknownReference();
  if (magic.kind === 'status') {
    throw new ProblemError(CODES[magic.status], 'The sandbox refuses this request. Nothing was done.');
  }
  if (magic.kind !== 'slow') return;
  if (slow >= MAX_SLOW) {
    throw new ProblemError(
      'TOO_MANY_REQUESTS',
      `The sandbox plays at most ${MAX_SLOW} slow answers at a time.`,
    );
  }
  slow += 1;
  await sleep(magic.ms).finally(() => {
    slow -= 1;
  });
  // The payment itself keeps its full time.
  request.deadline = new Date(request.deadline.getTime() + magic.ms);
}

function unknownReference(): ProblemError {
  const detail = 'is not a magic reference of the sandbox: see docs/integrators/testing.md';
  return new ProblemError('INVALID_REQUEST', 'The request is not valid.', {
    errors: [{ in: 'body', pointer: '/reference', detail }],
  });
}
