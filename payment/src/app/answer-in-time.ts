import { inTimeUnlessGivenUp } from '@payflowx/chassis';

/** Milliseconds before its deadline at which a caller gets a response, so that the response still reaches it. */
const ANSWER_MARGIN_MS = 100;

/**
 * Returns the result of `work`. Returns `otherwise` if the work is not done shortly before the caller's deadline, or if it calls
 * `giveUp`. The work continues in the background.
 */
export function answerInTime<T>(
  work: (giveUp: () => void) => Promise<T>,
  { deadline, now, otherwise }: { deadline: Date; now: Date; otherwise: T },
): Promise<T> {
  return inTimeUnlessGivenUp(work, deadline.getTime() - now.getTime() - ANSWER_MARGIN_MS, () => otherwise);
}
