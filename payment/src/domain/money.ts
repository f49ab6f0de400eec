/** Amounts are bigint minor units, at most what a JSON number carries exactly. */

/** 2^53 − 1: the largest integer that every JSON reader keeps. */
export const MAX_AMOUNT_MINOR = 9_007_199_254_740_991n;

export function isAmount(amountMinor: bigint): boolean {
  return amountMinor >= 1n && amountMinor <= MAX_AMOUNT_MINOR;
}
