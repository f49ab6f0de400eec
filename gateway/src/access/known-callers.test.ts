import { expect, it } from 'vitest';
import { createKnownCallers } from './known-callers.ts';

const alice = { id: 'usr_alice', roles: ['customer' as const] };

it('knows a caller by the whole token, and only until it expires', () => {
  let nowMs = 9_999;
  const known = createKnownCallers(10, () => nowMs);
  known.add('a.b.c', alice, 10);
  expect([known.get('a.b.c'), known.get('a.b.d')]).toEqual([alice, undefined]);
  nowMs = 10_000;
  expect(known.get('a.b.c')).toBeUndefined();
});

it('forgets the oldest when there are too many', () => {
  const known = createKnownCallers(2, () => 0);
  for (const token of ['1', '2', '3']) known.add(token, alice, 10);
  expect(['1', '2', '3'].map((token) => known.get(token) !== undefined)).toEqual([false, true, true]);
});
