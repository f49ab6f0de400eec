/**
 * Limits the number of requests in flight, and thereby the time that a request waits. Pure: no clock, no HTTP.
 *
 * Little's law: requests in flight = completions per second × mean time in the system. The limiter counts the completions of the
 * last second. With `rate × targetMs` requests in flight, a request takes `targetMs` on average. The limit follows the speed of
 * the machine, so nothing has to be configured for it.
 *
 * As in CoDel (RFC 8289), a queue is no overload as long as it drains, so a burst is admitted whole. Overload begins when the
 * limit has been exceeded for `toleranceMs` without a break, or when `burst` requests are in flight. It ends a second after the
 * last refusal.
 */

export interface Limiter {
  /** Returns true if a request of this caller would be admitted now. */
  hasRoom(caller: string): boolean;
  /** Returns true if the request is admitted. Then `finish` must be called once for it. */
  admit(caller: string): boolean;
  /** Only completed work counts for the rate of completions. */
  finish(caller: string, isCompleted?: boolean): void;
}

export interface LimiterSettings {
  /** The mean time from admission to response that is kept under overload. */
  targetMs: number;
  /** Milliseconds for which the limit may be exceeded before that counts as overload. */
  toleranceMs: number;
  /** The maximum number in flight, except for callers below their share. */
  burst: number;
  /**
   * The limit is never lower than this. It applies if there are too few completions to measure a rate, or if requests are slow by
   * nature.
   */
  floor: number;
}

export const LIMITS: LimiterSettings = { targetMs: 400, toleranceMs: 300, burst: 1_000, floor: 64 };

/** Overload ends when no request was refused for this long. */
const CALM_MS = 1_000;

export function createLimiter(now: () => number, settings: LimiterSettings = LIMITS): Limiter {
  const { targetMs, toleranceMs, burst, floor } = settings;
  const inFlightOf = new Map<string, number>();
  const completions = createRate(now);
  let inFlight = 0;
  let exceededSince: number | undefined;
  let refusedAt = Number.NEGATIVE_INFINITY;

  /** The number of requests that may be in flight now. */
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
   * When the limit is reached, a caller with less than an equal share of it is still admitted. A caller that floods then gets no
   * slot until it is down to its own share.
   */
  function hasShareLeft(own: number, limit: number): boolean {
    if (inFlight >= burst + limit) return false;
    const callers = inFlightOf.size + (own === 0 ? 1 : 0);
    return own < Math.floor(limit / callers);
  }

  function hasRoom(caller: string): boolean {
    const limit = limitNow();
    if (inFlight < limit || hasShareLeft(inFlightOf.get(caller) ?? 0, limit)) return true;
    refusedAt = now();
    return false;
  }

  return {
    hasRoom,
    admit(caller) {
      if (!hasRoom(caller)) return false;
      if (inFlight === 0) completions.restart();
      inFlight += 1;
      inFlightOf.set(caller, (inFlightOf.get(caller) ?? 0) + 1);
      return true;
    },
    finish(caller, isCompleted = true) {
      const left = (inFlightOf.get(caller) ?? 0) - 1;
      if (left > 0) inFlightOf.set(caller, left);
      else inFlightOf.delete(caller);
      inFlight -= 1;
      if (isCompleted) completions.count();
    },
  };
}

const SLOT_MS = 100;
const SLOTS = 10;

/**
 * Completions per millisecond over the last second, or since the last restart. Idle time before a restart does not count, because
 * it says nothing about the speed.
 */
function createRate(now: () => number) {
  const counts = new Uint32Array(SLOTS);
  let total = 0;
  let slot = 0;
  let startedAt = 0;

  /** Empties the slots that are older than a second. */
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
      // The current slot is only partly over.
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
