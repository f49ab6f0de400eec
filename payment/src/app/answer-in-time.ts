import { inTimeUnlessGivenUp } from '@payflowx/chassis';

/** A caller is answered this long before it stops waiting, so that the answer still reaches it. */
const ANSWER_MARGIN_MS = 100;

/** What `work` gives, or `otherwise` if that takes until shortly before the caller's deadline, or gives up before; the work goes on. */
export function answerInTime<T>(
  work: (giveUp: () => void) => Promise<T>,
  { deadline, now, otherwise }: { deadline: Date; now: Date; otherwise: T },
): Promise<T> {
  return inTimeUnlessGivenUp(work, deadline.getTime() - now.getTime() - ANSWER_MARGIN_MS, () => otherwise);
}
