/** A caller is answered this long before it stops waiting, so that the answer still reaches it. */
const ANSWER_MARGIN_MS = 100;

/** What `work` gives, or `otherwise` if that takes until shortly before the caller's deadline; the work goes on. */
export async function answerInTime<T>(
  work: Promise<T>,
  { deadline, now, otherwise }: { deadline: Date; now: Date; otherwise: T },
): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const waitMs = deadline.getTime() - now.getTime() - ANSWER_MARGIN_MS;
  const timer = setTimeout(() => resolve(otherwise), Math.max(0, waitMs));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
