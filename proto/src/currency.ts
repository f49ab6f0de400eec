/**
 * The currencies that are valid in "ISO 4217" fields of the contracts, and the decimals of their minor units. All parts of the
 * platform use this one table: `Intl` and CLDR have other exponents for some (HUF 0, IQD 0), because people no longer use the coins.
 */
import { ISO_4217 } from './iso-4217.ts';

export interface Currency {
  /** Three capital letters. */
  readonly code: string;
  /** Three digits. */
  readonly numeric: string;
  /** Digits after the decimal point: 10^exponent minor units are one of the currency. */
  readonly exponent: number;
  /** In English, as ISO writes it. */
  readonly name: string;
}

/** In alphabetical order of their codes. */
export const CURRENCIES: readonly Currency[] = ISO_4217.map(([code, numeric, exponent, name]) => ({
  code,
  numeric,
  exponent,
  name,
}));

const BY_CODE = new Map(CURRENCIES.map((currency) => [currency.code, currency]));

export function isCurrency(code: string): boolean {
  return BY_CODE.has(code);
}

/** Throws RangeError for a code that is not in the table, so that no amount is shown with guessed decimals. */
export function exponentOf(code: string): number {
  const currency = BY_CODE.get(code);
  if (!currency) throw new RangeError(`"${code}" is not a currency of ISO 4217 with a minor unit.`);
  return currency.exponent;
}

/** Returns an amount as an exact decimal number without a currency sign: 1250 minor units are "12.50" EUR, "1250" JPY. */
export function toDecimal(amountMinor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
