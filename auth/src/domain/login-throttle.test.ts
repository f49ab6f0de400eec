import { describe, expect, it } from 'vitest';
import {
  countFailure,
  type FailureCount,
  ownPasswordKey,
  secondFactorKey,
  type ThrottleKind,
  throttleKeys,
  waitMs,
} from './login-throttle.ts';

const start = new Date('2026-01-01T12:00:00Z');
const later = (ms: number) => new Date(start.getTime() + ms);

/** The delays after 1, 2, 3 … failures, each as soon as it is allowed. */
function delaysOf(kind: ThrottleKind, failures: number): number[] {
  let count: FailureCount | undefined;
  let now = start;
  return Array.from({ length: failures }, () => {
    now = count?.blockedUntil ?? now;
    count = countFailure(kind, count, now);
    return waitMs([count], now) / 1000;
  });
}

describe('the delay after failed logins', () => {
  it('grows from 0 to 15 minutes for one address at one account', () => {
    expect(delaysOf('pair', 17)).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
  });

  it('stays short for all addresses at one account, since the account owner waits too', () => {
    const delays = delaysOf('account', 40);
    expect(delays.findIndex((delay) => delay > 0)).toBe(19);
    expect(Math.max(...delays)).toBe(30);
  });

  it('is the longest of those that apply, and ends', () => {
    const counts = [{ blockedUntil: null }, { blockedUntil: later(500) }, { blockedUntil: later(2_000) }];
    expect(waitMs(counts, start)).toBe(2_000);
    expect(waitMs(counts, later(2_000))).toBe(0);
    expect(waitMs([], start)).toBe(0);
  });

  it('is forgotten after a time without failures', () => {
    const count = { failures: 30, blockedUntil: null, forgottenAt: later(1_000) };
    expect(countFailure('pair', count, later(999)).failures).toBe(31);
    expect(countFailure('pair', count, later(1_000))).toMatchObject({ failures: 1, blockedUntil: null });
  });
});

it('ignores the case of names, and never gives two things one key', () => {
  expect(throttleKeys('Alice', '192.0.2.1')).toEqual(throttleKeys('alice', '192.0.2.1'));
  const keys = [throttleKeys('alice', 'x'), throttleKeys('x', 'alice'), throttleKeys('alice","x', '')];
  const all = keys.flatMap(({ pair, account, address }) => [pair, account, address]);
  expect(new Set(all.map(({ key }) => key.toString('hex'))).size).toBe(9);
});

it('counts a pair, an account and an address', () => {
  const { pair, account, address } = throttleKeys('alice', '192.0.2.1');
  expect([pair.kind, account.kind, address.kind]).toEqual(['pair', 'account', 'address']);
  // A stored count must be found again after an upgrade.
  expect(pair.key.toString('hex')).toMatchInlineSnapshot(
    `"3508c0261afd568b564657b2fb0f917351de0efb80fe77c1cdd1e60607ba2bc2"`,
  );
});

it('counts wrong own passwords and wrong second factors of a user apart, and as long as a pair', () => {
  const keys = [
    ownPasswordKey('usr_1'),
    secondFactorKey('usr_1'),
    ownPasswordKey('usr_2'),
    secondFactorKey('usr_2'),
  ];
  expect(keys.map(({ kind }) => kind)).toEqual(['pair', 'pair', 'pair', 'pair']);
  const all = [...keys, throttleKeys('usr_1', '').pair].map(({ key }) => key.toString('hex'));
  expect(new Set(all).size).toBe(all.length);
  // A stored count must be found again after an upgrade.
  expect(all.slice(0, 2).map((key) => key.slice(0, 16))).toEqual(['94e52984ea57dfbd', 'd977355736155d1a']);
});
