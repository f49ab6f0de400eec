import { expect, it } from 'vitest';
import { notesChange } from './notes.ts';

it.each([
  ['nothing named is unchanged', {}, { reference: undefined, metadata: {}, removedMetadata: [] }],
  ['null removes the reference', { reference: null }, { reference: '', metadata: {}, removedMetadata: [] }],
  [
    'null removes a pair, and an empty text is a value',
    { reference: 'r', metadata: { a: '', b: null } },
    { reference: 'r', metadata: { a: '' }, removedMetadata: ['b'] },
  ],
])('a change of notes: %s', (_, body, message) => {
  expect(notesChange(body)).toEqual(message);
});
