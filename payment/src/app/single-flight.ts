/**
 * Runs work once at a time for each id. A call with an id whose work is in progress gets the same outcome.
 *
 * The ids are keys of an object and not of a Map. A long-lived Map that changes often moves into a new table from time to time,
 * and its old table points to the new one. Old tables that were promoted to the old generation keep the new tables, and all
 * objects in them, alive. V8's scavenger cannot free them until the next full marking (docs/internals/cost.md).
 */
export function createSingleFlight<T>(): (id: string, work: () => Promise<T>) => Promise<T> {
  const inFlight: Record<string, Promise<T>> = Object.create(null);
  return (id, work) => {
    const existing = inFlight[id];
    if (existing) return existing;
    const outcome = work().finally(() => {
      delete inFlight[id];
    });
    inFlight[id] = outcome;
    return outcome;
  };
}
