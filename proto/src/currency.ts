/**
 * Which codes a field of the contracts that says "ISO 4217" may hold: the currencies in use. The one list that whoever
 * validates such a field asks, at the edge as where accounts are opened. https://www.iso.org/iso-4217-currency-codes.html
 */
import * as iso4217 from 'dinero.js/currencies';

/** In the order of the alphabet. Withdrawn currencies, metals and codes for tests are not among them. */
export const CURRENCIES: readonly string[] = Object.keys(iso4217).sort();

const CODES = new Set(CURRENCIES);

export function isCurrency(code: string): boolean {
  return CODES.has(code);
}
