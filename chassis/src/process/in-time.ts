/** What `work` gives; if that takes longer than `ms`, what `late` gives or throws. The work itself goes on, and nobody hears of it any more. */
export function inTime<T>(work: Promise<T>, ms: number, late: () => T): Promise<T> {
  return inTimeUnlessGivenUp(() => work, ms, late);
}

/** As inTime, where the work itself can say earlier that it is late. */
export async function inTimeUnlessGivenUp<T>(
  work: (giveUp: () => void) => Promise<T>,
  ms: number,
  late: () => T,
): Promise<T> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, ms));
  try {
    return await Promise.race([work(resolve), over.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}
