/**
 * Bounds how long requests wait, by bounding how many are in flight. Pure: no clock, no HTTP.
 *
 * Little's law: requests in flight = completions a second × mean time in the system. The completions of the last second are counted, so
 * `rate × targetMs` requests in flight are those that take `targetMs` on average. The limit follows the machine: nothing is configured for
 * a faster or a slower one.
 *
 * As in CoDel (RFC 8289), a queue is no overload as long as it drains: a burst is admitted whole. Overload begins when the limit has been
 * exceeded for `toleranceMs` without a break, or when `burst` requests are in flight. It ends a second after the last refusal.
 */

export interface Limiter {
  /** Whether this caller's request is admitted; if it is, `finish` must be called once for it. */
  admit(caller: string): boolean;
  finish(caller: string): void;
}

export interface LimiterSettings {
  /** The mean time from admission to answer that is kept under overload. */
  targetMs: number;
  /** How long more may be in flight than that allows before it counts as overload. */
  toleranceMs: number;
  /** Never more in flight than this, but for callers below their share. */
  burst: number;
  /** So many are always admitted: too few completions to measure a rate, or requests that are slow by nature. */
  floor: number;
}

export const LIMITS: LimiterSettings = { targetMs: 500, toleranceMs: 300, burst: 1_000, floor: 64 };

/** Overload is over when nothing was refused for this long. */
const CALM_MS = 1_000;

export function createLimiter(now: () => number, settings: LimiterSettings = LIMITS): Limiter {
  const { targetMs, toleranceMs, burst, floor } = settings;
  const inFlightOf = new Map<string, number>();
  const completions = createRate(now);
  let inFlight = 0;
  let exceededSince: number | undefined;
  let refusedAt = Number.NEGATIVE_INFINITY;

  /** How many may be in flight now. */
  function limitNow(): number {
    const measured = Math.max(floor, Math.min(burst, completions.perMs() * targetMs));
    const at = now();
    if (inFlight < measured) exceededSince = undefined;
    else exceededSince ??= at;
    const isOverloaded =
      at - refusedAt < CALM_MS || (exceededSince !== undefined && at - exceededSince >= toleranceMs);
    return isOverloaded ? measured : burst;
  }

  /**
   * When the limit is reached, a caller with less than an equal share of it is still admitted. One that floods then finds no free slot until
   * it is down to its own share.
   */
  function hasShareLeft(own: number, limit: number): boolean {
    if (inFlight >= burst + limit) return false;
    const callers = inFlightOf.size + (own === 0 ? 1 : 0);
    return own < Math.floor(limit / callers);
  }

  return {
    admit(caller) {
      const own = inFlightOf.get(caller) ?? 0;
      const limit = limitNow();
      if (inFlight >= limit && !hasShareLeft(own, limit)) {
        refusedAt = now();
        return false;
      }
      if (inFlight === 0) completions.restart();
      inFlight += 1;
      inFlightOf.set(caller, own + 1);
      return true;
    },
    finish(caller) {
      const left = (inFlightOf.get(caller) ?? 0) - 1;
      if (left > 0) inFlightOf.set(caller, left);
      else inFlightOf.delete(caller);
      inFlight -= 1;
      completions.count();
    },
  };
}

const SLOT_MS = 100;
const SLOTS = 10;

/** Completions a millisecond over the last second, or since the last restart: an idle time before says nothing about the speed. */
function createRate(now: () => number) {
  const counts = new Uint32Array(SLOTS);
  let total = 0;
  let slot = 0;
  let startedAt = 0;

  /** Empties the slots that have become older than a second. */
  function advance(): void {
    const current = Math.floor(now() / SLOT_MS);
    const stale = Math.min(SLOTS, current - slot);
    for (let offset = 1; offset <= stale; offset += 1) {
      const index = (slot + offset) % SLOTS;
      total -= counts[index] as number;
      counts[index] = 0;
    }
    slot = current;
  }

  return {
    count() {
      advance();
      counts[slot % SLOTS] = (counts[slot % SLOTS] as number) + 1;
      total += 1;
    },
    perMs() {
      advance();
      // The current slot has only just begun.
      const spanMs = (SLOTS - 1) * SLOT_MS + (now() % SLOT_MS);
      return total / Math.max(SLOT_MS, Math.min(spanMs, now() - startedAt));
    },
    restart() {
      counts.fill(0);
      total = 0;
      startedAt = now();
      slot = Math.floor(startedAt / SLOT_MS);
    },
  };
}
