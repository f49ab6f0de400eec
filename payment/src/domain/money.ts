/** Amounts are bigint minor units, at most the largest integer that a JSON number represents exactly. */

/** 2^53 − 1: the largest integer that every JSON reader keeps exact. */
export const MAX_AMOUNT_MINOR = 9_007_199_254_740_991n;

export function isAmount(amountMinor: bigint): boolean {
  return amountMinor >= 1n && amountMinor <= MAX_AMOUNT_MINOR;
}
