/** Money is a bigint of minor units of one currency. */

/** 2^53 − 1, the largest amount or balance, so that a JSON number represents it exactly. */
export const MAX_MINOR = 9_007_199_254_740_991n;

export function isPayable(amount: bigint): boolean {
  return amount >= 1n && amount <= MAX_MINOR;
}
