/**
 * Sums of amounts in messages. A sum may exceed int64, so it travels as decimal digits. Earlier versions sent and read an int64
 * field, which is kept beside the digits.
 */

const MAX_INT64 = 2n ** 63n - 1n;

/** Returns the sum for the int64 field, or 0 if it does not fit. */
export function int64Of(sum: bigint): bigint {
  return sum <= MAX_INT64 && sum >= -MAX_INT64 ? sum : 0n;
}

/** Reads the digits of a sum. `int64` counts if an earlier version sent the message. */
export function sumOf(digits: string | undefined, int64: bigint): bigint {
  return digits === undefined ? int64 : BigInt(digits);
}
