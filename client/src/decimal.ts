/** Returns an amount in the decimals of its currency, exactly: 1250 is `12.50` with exponent 2. `GET /v1/currencies` has the exponents. */
export function toDecimal(minor: number | bigint | string, exponent: number): string {
  const amount = BigInt(minor);
  const sign = amount < 0n ? '-' : '';
  const digits = (amount < 0n ? -amount : amount).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
