import { expect, it } from 'vitest';
import { oldestUsefulRetirement } from './access-token.ts';
import { dueStep } from './key-rotation.ts';

const now = new Date('2026-01-01T12:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const policy = { maxAgeMs: 1_000, announceMs: 100 };

it.each([
  ['a young key', -999, undefined, undefined],
  ['a key at its maximum age', -1_000, undefined, 'announce'],
  ['an old key', -5_000, undefined, 'announce'],
  ['an announced key before its time', -5_000, 1, undefined],
  ['an announced key at its time', -5_000, 0, 'activate'],
  ['an announced key after its time', -1, -1, 'activate'],
])('for %s', (_, activeMs, nextMs, step) => {
  const active = { kid: 'old', activatedAt: at(activeMs) };
  const next = nextMs === undefined ? undefined : { kid: 'new', activatesAt: at(nextMs) };
  expect(dueStep({ active, next }, now, policy)).toBe(step);
});

it('a retired key is useful for the life of a token and a minute', () => {
  expect(oldestUsefulRetirement(now)).toEqual(at(-360_000));
});
