/**
 * google.protobuf.Timestamp as a Date, for generated code. A Timestamp counts nanoseconds, and times here are whole milliseconds: one that
 * lies between two milliseconds is read as the later. "At or after" and "before" then find what they name. "Up to and including" must
 * have the earlier one: `roundedDown`.
 */
import type { Timestamp } from '../gen/google/protobuf/timestamp.ts';

const NANOS_PER_MS = 1_000_000;

/** 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, as the type's own contract says. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

class RoundedUp extends Date {}

/** Throws RangeError for a Timestamp that its contract does not allow. */
export function fromTimestamp({ seconds, nanos }: Timestamp): Date {
  const isValid = seconds >= FIRST_SECOND && seconds <= LAST_SECOND && nanos >= 0 && nanos < 1_000_000_000;
  if (!isValid) throw new RangeError(`${seconds} s and ${nanos} ns are no Timestamp.`);
  // Never both in one fraction: next to today's seconds a double cannot hold a nanosecond.
  const wholeMs = Number(seconds) * 1_000 + Math.floor(nanos / NANOS_PER_MS);
  return nanos % NANOS_PER_MS === 0 ? new Date(wholeMs) : new RoundedUp(wholeMs + 1);
}

/** The last whole millisecond that is not after the Timestamp which `date` was read from. */
export function roundedDown(date: Date): Date {
  return date instanceof RoundedUp ? new Date(date.getTime() - 1) : date;
}

export function toTimestamp(date: Date): Timestamp {
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1_000) * NANOS_PER_MS };
}
