import { expect, it } from 'vitest';
import { isEnough, percentOf, scoresOf } from './mutation-score.ts';

const mutants = (...statuses: string[]) => ({ mutants: statuses.map((status) => ({ status })) });

it('a folder has the score of all its files, and changes that no test runs count as missed', () => {
  const files = {
    'src/domain/a.ts': mutants('Killed', 'Timeout', 'Survived'),
    'src/domain/b.ts': mutants('NoCoverage', 'CompileError', 'RuntimeError', 'Ignored'),
    'src/app/c.ts': mutants('Killed'),
    'src/app/types/d.ts': mutants(),
  };
  expect(scoresOf({ files })).toEqual([
    { folder: 'src/domain', changes: 4, noticed: 2 },
    { folder: 'src/app', changes: 1, noticed: 1 },
  ]);
});

it.each([
  [900, 90, true],
  [899, 89.9, false],
  [1_000, 100, true],
])('%d noticed of a thousand are %d %%, and that is enough: %s', (noticed, percent, enough) => {
  const score = { folder: 'src/domain', changes: 1_000, noticed };
  expect([percentOf(score), isEnough(score)]).toEqual([percent, enough]);
  // Just below the line is shown as below it.
  expect(percentOf({ ...score, changes: 100_000, noticed: 89_999 })).toBe(89.9);
});
