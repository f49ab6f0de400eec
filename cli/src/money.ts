/** Amounts in the decimals of their currency. The table of currencies is the platform's: GET /v1/currencies. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type PayFlowX, toDecimal } from '@payflowx/client';
import { UsageError } from './exit.ts';
import { home, readText, writePrivate } from './files.ts';

export interface Money {
  /** Minor units as a decimal number with the currency: 1250 is "12.50 EUR". */
  show(minor: number, currency: string): string;
  /** Minor units of a decimal number: "12.50" EUR is 1250. Throws UsageError for more decimals than the currency has. */
  parse(text: string, currency: string): number;
}

type Exponents = Record<string, number>;

const DAY_MS = 86_400_000;

/** Reads the table from a file of at most a day, or from the platform. */
export async function openMoney(api: PayFlowX, gateway: string): Promise<Money> {
  const digest = createHash('sha256').update(gateway).digest('hex').slice(0, 16);
  const file = join(home(), 'cache', `currencies-${digest}.json`);
  const exponents = cached(file) ?? (await load(api, file));
  return moneyOf(exponents);
}

function cached(file: string): Exponents | undefined {
  const text = readText(file);
  if (text === undefined) return undefined;
  const { at, exponents } = JSON.parse(text) as { at: number; exponents: Exponents };
  return Date.now() - at < DAY_MS ? exponents : undefined;
}

async function load(api: PayFlowX, file: string): Promise<Exponents> {
  const { data } = await api.get('/v1/currencies');
  const exponents = Object.fromEntries(data.data.map(({ code, exponent }) => [code, exponent]));
  writePrivate(file, JSON.stringify({ at: Date.now(), exponents }));
  return exponents;
}

export function moneyOf(exponents: Exponents): Money {
  function exponentOf(currency: string): number {
    const exponent = exponents[currency];
    if (exponent === undefined) throw new UsageError(`"${currency}" is not a currency of the platform.`);
    return exponent;
  }
  return {
    show: (minor, currency) => `${toDecimal(minor, exponentOf(currency))} ${currency}`,
    parse(text, currency) {
      const exponent = exponentOf(currency);
      const [, whole = '', fraction = ''] = /^(\d{1,16})(?:\.(\d{1,4}))?$/.exec(text) ?? [];
      if (whole === '') throw new UsageError(`"${text}" is no amount: give a decimal number such as 12.50.`);
      if (fraction.length > exponent)
        throw new UsageError(`${currency} has ${exponent} decimals, and "${text}" has ${fraction.length}.`);
      const minor = Number(whole + fraction.padEnd(exponent, '0'));
      if (Number.isSafeInteger(minor)) return minor;
      throw new UsageError(`${text} ${currency} is more than the platform can move at once.`);
    },
  };
}
