import { expect, it } from 'vitest';
import { maySkipDelay, oldestKnownLogin } from './known-login-pair.ts';

const now = new Date('2026-01-31T12:00:00Z');
const later = new Date(now.getTime() + 1);

it('a pair is known for 30 days after its last login', () => {
  expect(oldestKnownLogin(now)).toEqual(new Date('2026-01-01T12:00:00Z'));
});

it.each<[string, Parameters<typeof maySkipDelay>[0], boolean]>([
  ['no failures', [], true],
  ['failures of others', [{ kind: 'account', failures: 90, blockedUntil: later }], true],
  ['two own failures', [{ kind: 'pair', failures: 2, blockedUntil: null }], true],
  ['three own failures', [{ kind: 'pair', failures: 3, blockedUntil: null }], false],
  ['an own delay', [{ kind: 'pair', failures: 2, blockedUntil: later }], false],
  ['an own delay that is over', [{ kind: 'pair', failures: 2, blockedUntil: now }], true],
  [
    'three own failures among others',
    [
      { kind: 'address', failures: 1, blockedUntil: null },
      { kind: 'pair', failures: 3, blockedUntil: null },
    ],
    false,
  ],
])('a known pair with %s may skip the delay', (_, counts, expected) => {
  expect(maySkipDelay(counts, now)).toBe(expected);
});
