/** Formats amounts for people. */
import { exponentOf, toDecimal } from '@payflowx/proto/currency';
import type { Language } from '@payflowx/proto/vocabulary';

/** Cached, because creating a format costs more than formatting. */
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string, language: Language): Intl.NumberFormat {
  const key = `${language} ${currency}`;
  const known = formats.get(key);
  if (known) return known;
  // Intl places the symbol and groups the digits. Its number of decimals differs from ISO 4217: it has none for HUF.
  const digits = exponentOf(currency);
  const format = new Intl.NumberFormat(language, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  formats.set(key, format);
  return format;
}

/**
 * Formats for readers of a language: 1250 EUR is "€12.50" in English, and "12,50 €" in German. Throws RangeError for a currency that
 * is not in the table.
 */
export function formatMoney(amountMinor: bigint, currency: string, language: Language): string {
  // A string keeps every digit. A number would lose digits beyond 2^53.
  return formatOf(currency, language).format(toDecimal(amountMinor, currency) as Intl.StringNumericLiteral);
}
