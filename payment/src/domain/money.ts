/** Amounts are bigint minor units, at most what a JSON number carries exactly; currencies are ISO 4217 codes. */

/** 2^53 − 1: the largest integer that every JSON reader keeps. */
export const MAX_AMOUNT_MINOR = 9_007_199_254_740_991n;

/** ISO 4217's shape. Which codes there are is authorization's to say: it opens the accounts, and a payment must be in theirs. */
const CURRENCY = /^[A-Z]{3}$/;

export function isAmount(amountMinor: bigint): boolean {
  return amountMinor >= 1n && amountMinor <= MAX_AMOUNT_MINOR;
}

export function isCurrency(code: string): boolean {
  return CURRENCY.test(code);
}
