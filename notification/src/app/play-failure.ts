/** Counts attempts as failed because the magic reference of the payment asks for it. Only with SANDBOX=on. */
import { PaymentEvent } from '@payflowx/proto/payment';
import { readMagicReference } from '@payflowx/proto/sandbox';
import type { DueDelivery } from '../store/due-deliveries.ts';
import type { Answer } from '../webhooks/send-request.ts';

/**
 * Returns the answer, or a success as a failure. The receiver has got the request: so it will get the event again, as after an
 * answer that was lost.
 */
export function playFailure(
  { event, attempts }: Pick<DueDelivery, 'event' | 'attempts'>,
  answer: Answer,
): Answer {
  if (answer.error !== '') return answer;
  const failing = failedAttemptsOf(event);
  if (attempts >= failing) return answer;
  const error = `the sandbox counts this attempt as failed: ${attempts + 1} of ${failing}`;
  return { ...answer, error, retryAfter: undefined, isPlayed: true };
}

function failedAttemptsOf(event: DueDelivery['event']): number {
  if (!event?.payment_id) return 0;
  const reference = PaymentEvent.decode(event.content).payment?.reference ?? '';
  const magic = readMagicReference(reference);
  return magic?.kind === 'webhook' ? magic.failedAttempts : 0;
}
