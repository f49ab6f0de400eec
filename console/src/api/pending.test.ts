import { PayFlowXError } from '@payflowx/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { forget, hasUnknownOutcome, open, pendingOf } from './pending.ts';

beforeEach(() => {
  const items = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, text: string) => items.set(name, text),
    removeItem: (name: string) => items.delete(name),
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const alice = { userId: 'user_alice', action: 'pay' };

it('a second request does not start while the outcome of the first is unknown', () => {
  const first = open(alice, { amount: 1 });
  expect(open(alice, { amount: 2 })).toBeUndefined();
  expect(pendingOf(alice)).toEqual(first);
  if (first) forget(alice, first);
  expect(open(alice, { amount: 2 })?.key).not.toBe(first?.key);
});

it('the late outcome of a request that was given up leaves the next one', () => {
  const first = open(alice, {});
  if (first) forget(alice, first);
  const second = open(alice, {});
  if (first) forget(alice, first);
  expect(pendingOf(alice)).toEqual(second);
});

it("another person in the same tab does not get a person's request", () => {
  open(alice, {});
  expect(pendingOf({ ...alice, userId: 'user_bob' })).toBeUndefined();
});

it('a request is not sent again when the platform may have forgotten its key', () => {
  vi.useFakeTimers();
  open(alice, {});
  vi.advanceTimersByTime(24 * 60 * 60 * 1_000 - 1);
  expect(pendingOf(alice)).toBeDefined();
  vi.advanceTimersByTime(1);
  expect(pendingOf(alice)).toBeUndefined();
});

const failure = (status: number, code = 'CODE', retryable = false) =>
  new PayFlowXError(code, 'said', { status, retryable });

it.each([
  ['an error without an answer', new TypeError('fetch failed'), true],
  ['an aborted request', failure(0), true],
  ['a login that ended', failure(401), true],
  ['a request that took too long', failure(408), true],
  ['too many requests', failure(429, 'RATE_LIMITED', true), true],
  ['an error of the platform', failure(500), true],
  ['a request that is still in progress', failure(409, 'IDEMPOTENCY_IN_PROGRESS'), true],
  ['a wrong state', failure(409, 'INVALID_STATE'), false],
  ['a declined payment', failure(402), false],
  ['an invalid request', failure(400), false],
])('after %s the outcome is unknown: %s', (_, error, isUnknown) => {
  expect(hasUnknownOutcome(error)).toBe(isUnknown);
});
