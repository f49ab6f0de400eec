/**
 * Limits how often a caller may simulate. A simulation costs the caller nothing, so without a limit it could search for facts that
 * rules read.
 */
import { CallError } from '@payflowx/chassis';

export interface SimulationQuota {
  /** Counts one simulation of the caller. Throws CallError TOO_MANY_REQUESTS with the time of the next one. */
  take(callerId: string): void;
}

const MINUTE_MS = 60_000;

/** In memory, for this instance. Counts begin again every minute, so only the callers of one minute are stored. */
export function simulationQuota({ perMinute, now }: { perMinute: number; now: () => Date }): SimulationQuota {
  const counts = new Map<string, number>();
  let endsAt = 0;
  return {
    take(callerId) {
      const time = now().getTime();
      if (time >= endsAt || time < endsAt - MINUTE_MS) {
        counts.clear();
        endsAt = time + MINUTE_MS;
      }
      const count = counts.get(callerId) ?? 0;
      if (count >= perMinute) {
        const message = `A caller may simulate ${perMinute} payments a minute.`;
        throw new CallError('TOO_MANY_REQUESTS', message, { retryAfterMs: endsAt - time });
      }
      counts.set(callerId, count + 1);
    },
  };
}
