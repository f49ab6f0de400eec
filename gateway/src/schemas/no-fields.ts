/** The body of a request whose path says everything. */
import { Type } from 'typebox';
import { named } from './named.ts';

export const NoFields = named(
  'NoFields',
  Type.Object({}, { additionalProperties: false, description: 'The body may be absent.' }),
);
