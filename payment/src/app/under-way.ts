/**
 * Work under way, by id: who asks for what is already being done gets that one's outcome.
 *
 * The ids are the keys of an object, for a Map that lives long and changes all the time keeps what it let go of: it moves into a new
 * table now and then, the old one points to the new one, and so the dead tables that have become old keep the young ones from V8's
 * scavenger, with all that these point to, until the next full marking (docs/internals/cost.md).
 */
export function createUnderWay<T>(): (id: string, work: () => Promise<T>) => Promise<T> {
  const underWay: Record<string, Promise<T>> = Object.create(null);
  return (id, work) => {
    const existing = underWay[id];
    if (existing) return existing;
    const outcome = work().finally(() => {
      delete underWay[id];
    });
    underWay[id] = outcome;
    return outcome;
  };
}
