/** Compares this process' clock with authorization's, whose clock decides when holds end. */
import type { Logger } from '@payflowx/chassis';

export interface ClockDifference {
  /** By how much our clock is ahead; negative: behind. */
  aheadMs: number;
  comparedAt: Date;
}

export interface ClockWatch {
  now(): Date;
  /** Notes what authorization's clock showed at some moment after `sentAt` and before now. */
  compare(theirs: Date, sentAt: Date): void;
  /** Undefined: they were never compared. */
  difference(): ClockDifference | undefined;
  /** What authorization's clock shows when ours shows `ours`. */
  theirTime(ours: Date): Date;
}

/** Less is not worth a line in the log. */
const WORTH_TELLING_MS = 1_000;
/** Instances of authorization may differ among themselves: the clocks count as equal again when they were for this long. */
const SETTLED_AFTER_MS = 60_000;

export function createClockWatch({ now, log }: { now: () => Date; log: Logger }): ClockWatch {
  let latest: ClockDifference | undefined;
  let isTold = false;
  let lastApartAt = 0;

  function tell({ aheadMs, comparedAt }: ClockDifference): void {
    const isApart = Math.abs(aheadMs) >= WORTH_TELLING_MS;
    if (isApart) lastApartAt = comparedAt.getTime();
    if (isApart && !isTold) {
      log.warn(
        { clock_ahead_ms: aheadMs },
        'the clock of this instance differs from authorization’s; holds end by authorization’s',
      );
      isTold = true;
    } else if (isTold && comparedAt.getTime() - lastApartAt >= SETTLED_AFTER_MS) {
      log.info({ clock_ahead_ms: aheadMs }, 'the clock of this instance agrees with authorization’s again');
      isTold = false;
    }
  }

  return {
    now,
    compare(theirs, sentAt) {
      const comparedAt = now();
      // Their clock was read somewhere between the two: the least difference that explains it.
      const least = sentAt.getTime() - theirs.getTime();
      const most = comparedAt.getTime() - theirs.getTime();
      const aheadMs = least > 0 ? least : Math.min(most, 0);
      latest = { aheadMs, comparedAt };
      tell(latest);
    },
    difference: () => latest,
    theirTime: (ours) => new Date(ours.getTime() - (latest?.aheadMs ?? 0)),
  };
}
