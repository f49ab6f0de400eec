/**
 * The currencies that a field of the contracts that says "ISO 4217" may hold, and how their minor units are read. All parts of the
 * platform ask this one table: `Intl` and CLDR have other exponents for some (HUF 0, IQD 0), because people no longer use the coins.
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

/** By code, in the order of the alphabet. */
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

/** Throws RangeError for a code that is not in the table: an amount whose decimals are a guess must not be shown. */
export function exponentOf(code: string): number {
  const currency = BY_CODE.get(code);
  if (!currency) throw new RangeError(`"${code}" is no currency of ISO 4217 with a minor unit.`);
  return currency.exponent;
}

/** The exact decimal number of an amount, without a sign of its currency: 1250 minor units are "12.50" EUR, "1250" JPY. */
export function toDecimal(amountMinor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
