/** Compares this process' clock with authorization's, whose clock decides when holds end. */
import type { Logger } from '@payflowx/chassis';

export interface ClockDifference {
  /** Milliseconds that our clock is ahead of authorization's. Negative if it is behind. */
  aheadMs: number;
  comparedAt: Date;
}

export interface ClockWatch {
  now(): Date;
  /** Records a reading of authorization's clock that was taken between `sentAt` and now. */
  compare(theirs: Date, sentAt: Date): void;
  /** Undefined if the clocks were never compared. */
  difference(): ClockDifference | undefined;
  /** Converts a time of our clock to authorization's clock. */
  authorizationTime(ours: Date): Date;
}

/** Smaller differences are not logged. */
const MIN_LOGGED_MS = 1_000;
/**
 * Instances of authorization may differ from each other. The clocks count as equal again after this long without a difference.
 */
const AGREED_AFTER_MS = 60_000;

export function createClockWatch({ now, log }: { now: () => Date; log: Logger }): ClockWatch {
  let latest: ClockDifference | undefined;
  let isLogged = false;
  let lastApartAt = 0;

  function logChange({ aheadMs, comparedAt }: ClockDifference): void {
    const isApart = Math.abs(aheadMs) >= MIN_LOGGED_MS;
    if (isApart) lastApartAt = comparedAt.getTime();
    if (isApart && !isLogged) {
      log.warn(
        { clock_ahead_ms: aheadMs },
        'the clock of this instance differs from authorization’s, which decides when holds end',
      );
      isLogged = true;
    } else if (isLogged && comparedAt.getTime() - lastApartAt >= AGREED_AFTER_MS) {
      log.info({ clock_ahead_ms: aheadMs }, 'the clock of this instance agrees with authorization’s again');
      isLogged = false;
    }
  }

  return {
    now,
    compare(theirs, sentAt) {
      const comparedAt = now();
      // Authorization's clock was read between these two times. We take the smallest difference that explains the reading.
      const least = sentAt.getTime() - theirs.getTime();
      const most = comparedAt.getTime() - theirs.getTime();
      const aheadMs = least > 0 ? least : Math.min(most, 0);
      latest = { aheadMs, comparedAt };
      logChange(latest);
    },
    difference: () => latest,
    authorizationTime: (ours) => new Date(ours.getTime() - (latest?.aheadMs ?? 0)),
  };
}
