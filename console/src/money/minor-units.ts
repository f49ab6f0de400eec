/** Amounts as people write them, from and to integers of minor units. No float is involved. */
import { toDecimal } from '@payflowx/client';

/** `formatMinor(123450, 2)` → `1,234.50`. */
export function formatMinor(amount: number | string | bigint, exponent: number): string {
  const decimal = toDecimal(amount, exponent);
  const [whole = '', fraction] = decimal.replace('-', '').split('.');
  const sign = decimal.startsWith('-') ? '−' : '';
  return `${sign}${BigInt(whole).toLocaleString('en-GB')}${fraction === undefined ? '' : `.${fraction}`}`;
}

export type ParsedAmount = { amount: number } | { error: string };

/** `parseMinor('12.5', 2)` → 1250. */
export function parseMinor(text: string, exponent: number): ParsedAmount {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (!match) return { error: 'Enter an amount such as 12.50, with a point.' };
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > exponent) return { error: `The currency has ${decimals(exponent)}.` };
  const minor = BigInt(whole + fraction.padEnd(exponent, '0'));
  if (minor <= 0n) return { error: 'The amount must be more than zero.' };
  if (minor > BigInt(Number.MAX_SAFE_INTEGER)) return { error: 'The amount is too large.' };
  return { amount: Number(minor) };
}

function decimals(exponent: number): string {
  if (exponent === 0) return 'no decimals';
  return exponent === 1 ? 'one decimal' : `${exponent} decimals`;
}
