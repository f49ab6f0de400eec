import { expect, it } from 'vitest';
import { type Attempt, conclude, MAX_ATTEMPTS } from './mail-delivery.ts';

const response = '550 5.1.1 no such user';
const unavailable: Attempt = { result: 'unavailable', error: 'timeout' };
const ended = { lastError: null, retryAfterS: undefined };

it.each<[string, Attempt, object]>([
  ['was accepted is sent', { result: 'accepted' }, { ...ended, state: 'sent', reason: null, attempts: 3 }],
  [
    'is no longer wanted is skipped, and that was no attempt',
    { result: 'not sent', reason: 'ADDRESS_SUPPRESSED' },
    { ...ended, state: 'skipped', reason: 'ADDRESS_SUPPRESSED', attempts: 2 },
  ],
  [
    'was refused for its address has failed',
    { result: 'address refused', response },
    { ...ended, state: 'failed', reason: 'ADDRESS_REFUSED', lastError: response, attempts: 3 },
  ],
  [
    'was refused itself has failed',
    { result: 'mail refused', response },
    { ...ended, state: 'failed', reason: 'MAIL_REFUSED', lastError: response, attempts: 3 },
  ],
  [
    'got no definite answer waits for its next attempt',
    unavailable,
    { state: 'pending', reason: null, lastError: 'timeout', attempts: 3, retryAfterS: 120 },
  ],
])('a mail that %s', (_, attempt, conclusion) => {
  expect(conclude(2, attempt)).toEqual(conclusion);
});

it('the pauses double from half a minute to four hours, and the last attempt is a day after the first', () => {
  const pauses = Array.from(
    { length: MAX_ATTEMPTS - 1 },
    (_, n) => conclude(n, unavailable).retryAfterS ?? 0,
  );
  expect(pauses.slice(0, 3)).toEqual([30, 60, 120]);
  expect(pauses.at(-1)).toBe(4 * 60 * 60);
  const hours = pauses.reduce((sum, pause) => sum + pause, 0) / 3_600;
  expect(Math.round(hours)).toBe(28);
});

it('ends with the last attempt', () => {
  expect(conclude(MAX_ATTEMPTS - 1, unavailable)).toEqual({
    ...ended,
    state: 'failed',
    reason: 'TOO_MANY_ATTEMPTS',
    lastError: 'timeout',
    attempts: MAX_ATTEMPTS,
  });
});

it.each<Attempt>([
  { result: 'unavailable', error: 'x'.repeat(501) },
  { result: 'address refused', response: 'x'.repeat(501) },
  { result: 'mail refused', response: 'x'.repeat(501) },
])('keeps only the beginning of a long answer: $result', (attempt) => {
  expect(conclude(0, attempt).lastError).toBe('x'.repeat(500));
});
