/** Money on the wire: JSON integers of minor units beside an ISO 4217 code. */
import { CURRENCIES } from '@payflowx/proto/currency';
import { Type } from 'typebox';
import { named } from './named.ts';

/** The largest amount: the largest integer that every JSON reader keeps exact (2^53 − 1). */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER;

/** An amount as a request gives it. */
export const Amount = named(
  'Amount',
  Type.Integer({
    minimum: 1,
    maximum: MAX_AMOUNT,
    description:
      'Minor units of the currency: 1250 is EUR 12.50. `GET /v1/currencies` has the decimals of each.',
    examples: [1250],
  }),
);

/** Minor units in an answer. A bigint all the way: the serializer writes its digits, so nothing is ever rounded. */
export const minorUnits = (description: string) =>
  Type.Unsafe<bigint>({ type: 'integer', description: `${description} Minor units.`, examples: [1250] });

/** The serializer takes a bigint or null only in this spelling; in the document it is `type: [integer, null]`. */
export const nullableMinorUnits = (description: string) =>
  Type.Unsafe<bigint | null>({ type: 'integer', nullable: true, description: `${description} Minor units.` });

/** A number of things. */
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
