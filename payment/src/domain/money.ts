/** Amounts are bigint minor units, at most what a JSON number carries exactly; currencies are ISO 4217 codes. */

/** 2^53 − 1: the largest integer that every JSON reader keeps. */
export const MAX_AMOUNT_MINOR = 9_007_199_254_740_991n;

/** Node carries CLDR's list of the currencies in use. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

export function isAmount(amountMinor: bigint): boolean {
  return amountMinor >= 1n && amountMinor <= MAX_AMOUNT_MINOR;
}

export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code);
}
