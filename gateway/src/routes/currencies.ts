/** The currencies that accounts can be opened in, and how many decimals their amounts have. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { CURRENCIES } from '@payflowx/proto/currency';
import { Type } from 'typebox';
import { DOCUMENT_MAX_AGE_S } from '../http/caching.ts';
import { Currency } from '../schemas/money.ts';
import { named, ref } from '../schemas/named.ts';

const CurrencyDetails = named(
  'CurrencyDetails',
  Type.Object({
    code: ref(Currency),
    numeric: Type.String({
      pattern: '^[0-9]{3}$',
      description: 'ISO 4217 numeric code.',
      examples: ['978'],
    }),
    exponent: Type.Integer({
      minimum: 0,
      maximum: 4,
      description: 'Digits after the decimal point: divide an amount by 10 to the power of this.',
      examples: [2],
    }),
    name: Type.String({ description: 'The English name of ISO 4217.', examples: ['Euro'] }),
  }),
);

const CurrencyList = named(
  'CurrencyList',
  Type.Object({ data: Type.Array(ref(CurrencyDetails), { description: 'Sorted by code.' }) }),
);

export const currencySchemas = [CurrencyDetails, CurrencyList];

export const currencyRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/currencies', {
    config: { access: 'anyone', maxAgeS: DOCUMENT_MAX_AGE_S },
    schema: {
      tags: ['accounts'],
      operationId: 'listCurrencies',
      summary: 'List the currencies with the decimals of their amounts',
      description:
        'The exponents are those of ISO 4217. They differ from `Intl` and CLDR: 150 minor units of HUF are HUF 1.50. Codes without a minor unit, such as XAU, are not listed, and no account can have them.',
      response: { 200: ref(CurrencyList) },
    },
    handler: async () => ({ data: [...CURRENCIES] }),
  });
};
