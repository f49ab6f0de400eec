/** Formats amounts for people. */
import { exponentOf, toDecimal } from '@payflowx/proto/currency';

/** Cached, because creating a format costs more than formatting. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known) return known;
  // Intl places the symbol and groups the digits. Its number of decimals differs from ISO 4217: it has none for HUF.
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

/** Formats in English: 1250 EUR is "€12.50", 1250 JPY is "¥1,250". Throws RangeError for a currency that is not in the table. */
export function formatMoney(amountMinor: bigint, currency: string): string {
  // A string keeps every digit. A number would lose digits beyond 2^53.
  return formatOf(currency).format(toDecimal(amountMinor, currency) as Intl.StringNumericLiteral);
}
