/** Money on the wire: JSON integers of minor units, and an ISO 4217 code. */
import { CURRENCIES } from '@payflowx/proto/currency';
import { Type } from 'typebox';
import { named } from './named.ts';

/** The largest amount: the largest integer that every JSON parser reads exactly (2^53 − 1). */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER;

/** An amount in a request. */
export const Amount = named(
  'Amount',
  Type.Integer({
    minimum: 1,
    maximum: MAX_AMOUNT,
    description:
      'Minor units of the currency: 1250 is EUR 12.50. `GET /v1/currencies` lists the decimals of each currency.',
    examples: [1250],
  }),
);

/** Minor units in a response. They stay a bigint until the serializer writes the digits, so nothing is ever rounded. */
export const minorUnits = (description: string) =>
  Type.Unsafe<bigint>({ type: 'integer', description: `${description} Minor units.`, examples: [1250] });

/** A sum of many amounts. It may exceed 2^53 − 1, which JSON parsers would round, so it is text. */
export const minorSum = (description: string) =>
  Type.String({
    pattern: '^-?\\d+$',
    description: `${description} Minor units in decimal digits, as text: a sum may exceed 2^53 − 1.`,
    examples: ['1250'],
  });

/** The serializer accepts a bigint or null only in this form. In the document it is `type: [integer, null]`. */
export const nullableMinorUnits = (description: string) =>
  Type.Unsafe<bigint | null>({ type: 'integer', nullable: true, description: `${description} Minor units.` });

export const count = (description: string) => Type.Unsafe<bigint>({ type: 'integer', description });

export const Currency = named(
  'Currency',
  Type.Unsafe<string>({
    type: 'string',
    enum: CURRENCIES.map(({ code }) => code),
    description: 'ISO 4217 code of a currency in use; `GET /v1/currencies` lists them.',
    examples: ['EUR'],
  }),
);
