import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import { type AccountRecord, type AccountState, type Limits, NO_LIMITS } from './account.ts';
import { type AccountUpdate, changeState, updateAccount } from './account-changes.ts';
import { ACTION_INTO, auditedFacts } from './audit.ts';

const record = (change: Partial<AccountRecord> = {}): AccountRecord => ({
  ...account('alice'),
  name: 'Household',
  externalId: 'customer-1',
  metadata: { branch: 'Berlin' },
  version: 3n,
  ...change,
});

const NO_CHANGE: AccountUpdate = {
  ...{ name: undefined, limits: undefined, timeZone: undefined, externalId: undefined },
  ...{ metadata: {}, removedMetadata: [] },
};

describe('an update', () => {
  const limited: Limits = { perPayment: 10n, daily: 20n, monthly: 30n, dailyCount: 4 };

  it.each<[string, Partial<AccountUpdate>]>([
    ['name', { name: 'Savings' }],
    ['external id', { externalId: 'customer-2' }],
    ['time zone', { timeZone: 'Europe/Berlin' }],
    ['limit per payment', { limits: { ...limited, perPayment: 11n } }],
    ['daily limit', { limits: { ...limited, daily: 21n } }],
    ['monthly limit', { limits: { ...limited, monthly: 31n } }],
    ['daily count', { limits: { ...limited, dailyCount: 5 } }],
    ['limits', { limits: NO_LIMITS }],
  ])('of the %s changes it alone, and increases the version', (_, change) => {
    const before = record({ limits: limited });
    const after = updateAccount(before, { ...NO_CHANGE, ...change }, 3n);
    expect(after).toEqual({ ...before, ...change, version: 4n });
  });

  it('that changes nothing returns the same account, without a new version', () => {
    const before = record({ limits: limited });
    expect(updateAccount(before, NO_CHANGE, 3n)).toBe(before);
    const same = {
      ...{ name: 'Household', limits: { ...limited }, timeZone: 'UTC', externalId: 'customer-1' },
      ...{ metadata: { branch: 'Berlin' }, removedMetadata: ['unknown', 'toString'] },
    };
    expect(updateAccount(before, same, 3n)).toBe(before);
  });

  it.each<[string, Partial<AccountUpdate>, Record<string, string>]>([
    ['adds a pair', { metadata: { desk: '7' } }, { branch: 'Berlin', desk: '7' }],
    ['replaces a value', { metadata: { branch: 'Bonn' } }, { branch: 'Bonn' }],
    ['removes a pair', { removedMetadata: ['branch'] }, {}],
    ['removes one and adds one', { metadata: { desk: '7' }, removedMetadata: ['branch'] }, { desk: '7' }],
    [
      'keeps a value that it also removes',
      { metadata: { branch: 'Bonn' }, removedMetadata: ['branch'] },
      { branch: 'Bonn' },
    ],
  ])('of metadata %s', (_, change, metadata) => {
    const after = updateAccount(record(), { ...NO_CHANGE, ...change }, 3n);
    expect(after).toEqual({ ...record(), metadata, version: 4n });
  });

  it('of metadata to more than 20 pairs is refused', () => {
    const pairs = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'v']));
    const change = (metadata: Record<string, string>) =>
      updateAccount(record(), { ...NO_CHANGE, metadata }, 3n);
    expect(Object.keys(change(pairs(19)).metadata)).toHaveLength(20);
    expect(() => change(pairs(20))).toThrow(
      expect.objectContaining({
        violations: [{ field: 'metadata', description: 'must have at most 20 pairs' }],
      }),
    );
  });

  it('of a frozen account is possible, of a closed one not', () => {
    expect(updateAccount(record({ state: 'FROZEN' }), { ...NO_CHANGE, name: 'x' }, 3n).name).toBe('x');
    expect(() => updateAccount(record({ state: 'CLOSED' }), NO_CHANGE, 3n)).toThrow(
      expect.objectContaining({
        reason: 'ACCOUNT_CLOSED',
        message: 'The account is closed and cannot be changed.',
      }),
    );
  });

  it('of another version is refused, and the refusal contains the version', () => {
    for (const expected of [2n, 4n])
      expect(() => updateAccount(record(), NO_CHANGE, expected)).toThrow(
        expect.objectContaining({
          reason: 'VERSION_MISMATCH',
          message: 'The account was changed in the meantime.',
          metadata: { version: '3' },
        }),
      );
  });
});

describe('a change of state', () => {
  it.each<[AccountState, AccountState]>([
    ['ACTIVE', 'FROZEN'],
    ['FROZEN', 'ACTIVE'],
    ['ACTIVE', 'CLOSED'],
    ['FROZEN', 'CLOSED'],
  ])('from %s to %s increases the version, with and without an expected version', (from, to) => {
    const before = record({ state: from });
    for (const expected of [3n, undefined])
      expect(changeState(before, to, expected)).toEqual({ ...before, state: to, version: 4n });
  });

  it.each<AccountState>(['ACTIVE', 'FROZEN', 'CLOSED'])(
    'into its state %s returns the same account, for any version',
    (state) => {
      const before = record({ state });
      expect(changeState(before, state, 1n)).toBe(before);
    },
  );

  it.each<AccountState>(['ACTIVE', 'FROZEN'])('from CLOSED to %s is refused', (state) => {
    expect(() => changeState(record({ state: 'CLOSED' }), state, 3n)).toThrow(
      expect.objectContaining({
        reason: 'INVALID_STATE',
        message: 'The account is closed permanently.',
        metadata: { state: 'CLOSED' },
      }),
    );
  });

  it('of another version is refused', () => {
    expect(() => changeState(record(), 'FROZEN', 2n)).toThrow(
      expect.objectContaining({ reason: 'VERSION_MISMATCH', metadata: { version: '3' } }),
    );
  });

  it.each([
    { posted: 1n, held: 0n },
    { posted: -1n, held: 0n },
    { posted: 0n, held: 1n },
  ])('to CLOSED is refused with a balance: $posted posted, $held held', (money) => {
    expect(() => changeState(record(money), 'CLOSED', 3n)).toThrow(
      expect.objectContaining({
        reason: 'ACCOUNT_NOT_EMPTY',
        message: 'An account with a balance or held money cannot be closed.',
        metadata: { posted_minor: `${money.posted}`, held_minor: `${money.held}` },
      }),
    );
    expect(changeState(record(money), 'FROZEN', 3n).state).toBe('FROZEN');
  });
});

describe('the audit record of a change', () => {
  it('names the action of each state', () => {
    expect(ACTION_INTO).toEqual({
      ACTIVE: 'account.unfrozen',
      FROZEN: 'account.frozen',
      CLOSED: 'account.closed',
    });
  });

  it('contains all that an operator can change, and no balance', () => {
    const limits: Limits = { perPayment: 10n, daily: null, monthly: 30n, dailyCount: 4 };
    expect(auditedFacts(record({ limits, posted: 7n, state: 'FROZEN' }))).toEqual({
      id: 'alice',
      owner_id: 'usr_alice',
      name: 'Household',
      external_id: 'customer-1',
      metadata: { branch: 'Berlin' },
      currency: 'EUR',
      state: 'FROZEN',
      time_zone: 'UTC',
      limits: { per_payment: 10, daily: null, monthly: 30, daily_count: 4 },
      version: 3,
    });
  });
});
