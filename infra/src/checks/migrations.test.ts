import { expect, it } from 'vitest';
import { markerProblems } from './migrations.ts';

const problems = (text: string) => markerProblems('0001_x.sql', text);

it('accepts plain files, and an index that a second attempt creates again', () => {
  expect(problems('-- Written CONCURRENTLY by many.\nCREATE TABLE things (id text);')).toEqual([]);
  expect(
    problems(
      '-- migrate: no transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (x);\n',
    ),
  ).toEqual([]);
});

it.each([
  ['a marker that would not be seen', '\n-- migrate: no transaction\nSELECT 1;', 'the first line must be'],
  ['CONCURRENTLY inside a transaction', 'CREATE INDEX CONCURRENTLY i ON t (x);', 'needs a file without'],
  [
    'an invalid index that stays',
    '-- migrate: no transaction\nCREATE INDEX CONCURRENTLY i ON t (x);\n',
    'DROP INDEX CONCURRENTLY IF EXISTS i;',
  ],
])('refuses %s', (_, text, message) => {
  expect(problems(text)).toEqual([expect.stringContaining(message)]);
});
