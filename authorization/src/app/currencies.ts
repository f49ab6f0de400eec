/** Which currencies an account may have. */
import * as iso4217 from 'dinero.js/currencies';

const CODES = new Set(Object.keys(iso4217));

/** Whether `code` is a currency of ISO 4217 that is in use; withdrawn ones, metals and test codes are not. */
export function isCurrency(code: string): boolean {
  return CODES.has(code);
}
