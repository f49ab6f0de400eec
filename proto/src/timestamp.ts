/**
 * Converts google.protobuf.Timestamp to Date and back, for generated code. A Timestamp counts nanoseconds, and times here are whole
 * milliseconds. A Timestamp between two milliseconds is rounded up, so that the filters "at or after" and "before" are exact. The filter
 * "up to and including" needs the earlier millisecond: `roundedDown`.
 */
import type { Timestamp } from '../gen/google/protobuf/timestamp.ts';

const NANOS_PER_MS = 1_000_000;

/** 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, the range in the contract of the type. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

class RoundedUp extends Date {}

/** Throws RangeError for a Timestamp outside the range of its contract. */
export function fromTimestamp({ seconds, nanos }: Timestamp): Date {
  const isValid = seconds >= FIRST_SECOND && seconds <= LAST_SECOND && nanos >= 0 && nanos < 1_000_000_000;
  if (!isValid) throw new RangeError(`${seconds} s and ${nanos} ns are not a valid Timestamp.`);
  // Seconds and nanoseconds are not added as fractions: a double cannot represent today's seconds with nanoseconds.
  const wholeMs = Number(seconds) * 1_000 + Math.floor(nanos / NANOS_PER_MS);
  return nanos % NANOS_PER_MS === 0 ? new Date(wholeMs) : new RoundedUp(wholeMs + 1);
}

/** Returns the last whole millisecond that is not after the Timestamp from which `date` was read. */
export function roundedDown(date: Date): Date {
  return date instanceof RoundedUp ? new Date(date.getTime() - 1) : date;
}

export function toTimestamp(date: Date): Timestamp {
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1_000) * NANOS_PER_MS };
}
