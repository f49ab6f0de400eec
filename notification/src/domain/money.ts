/** Amounts for people. */
import { exponentOf, toDecimal } from '@payflowx/proto/currency';

/** Making a format costs more than formatting. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known) return known;
  // Intl places the symbol and groups the digits. Its own decimals are not ISO 4217's: it has none for HUF.
  const digits = exponentOf(currency);
  const format = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  formats.set(currency, format);
  return format;
}

/** In English: 1250 EUR is "€12.50", 1250 JPY is "¥1,250". Throws RangeError for a currency that is not in the table. */
export function formatMoney(amountMinor: bigint, currency: string): string {
  // A string keeps every digit; a number would not beyond 2^53.
  return formatOf(currency).format(toDecimal(amountMinor, currency) as Intl.StringNumericLiteral);
}
