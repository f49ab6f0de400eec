/** An account as clients see it. */
import { type Account as AccountMessage, AccountState } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { AnyAccountId } from './ids.ts';
import { Currency, count, minorUnits, nullableMinorUnits } from './money.ts';
import { named, ref } from './named.ts';
import { emptyAsNull, nullableText, texts, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const STATUSES = wireNames('The status of the account. Only an ACTIVE account pays and receives.', {
  [AccountState.ACTIVE]: 'ACTIVE',
  [AccountState.FROZEN]: 'FROZEN',
  [AccountState.CLOSED]: 'CLOSED',
});

export const ACCOUNT_EXAMPLE = {
  id: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  owner_id: 'usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  name: 'Household',
  external_id: 'customer-4711',
  metadata: { branch: 'Berlin' },
  currency: 'EUR',
  status: 'ACTIVE',
  balance: { posted: 50_000, held: 1_250, available: 48_750 },
  limits: { per_payment: null, daily: 100_000, monthly: null, daily_count: 50 },
  usage: { daily: 1_250, monthly: 20_000, daily_count: 1 },
  time_zone: 'Europe/Berlin',
  version: 2,
  created_at: '2026-01-31T12:00:00.000Z',
};

export const Account = named(
  'Account',
  Type.Object(
    {
      id: ref(AnyAccountId),
      owner_id: nullableText('The user who owns the account; null for an external account.'),
      name: nullableText('A name for people to read.'),
      external_id: nullableText('The operator’s own id for it. Its owner sees it too.'),
      metadata: texts('The operator’s own names and values. Its owner sees them too.'),
      currency: ref(Currency),
      status: STATUSES.schema,
      balance: Type.Object({
        posted: minorUnits('Money in the account, held money included.'),
        held: minorUnits('The part that is held for authorized payments.'),
        available: minorUnits('The part that can be spent: posted − held.'),
      }),
      limits: Type.Object(
        {
          per_payment: nullableMinorUnits('Maximum amount of one payment.'),
          daily: nullableMinorUnits('Maximum spent in a day of its time zone.'),
          monthly: nullableMinorUnits('Maximum spent in a calendar month of its time zone.'),
          daily_count: Type.Unsafe<number | null>({
            type: ['integer', 'null'],
            description: 'Maximum number of payments in a day of its time zone.',
          }),
        },
        { description: 'Spending limits; null means no limit.' },
      ),
      usage: Type.Object(
        {
          daily: minorUnits('Spent today.'),
          monthly: minorUnits('Spent this month.'),
          daily_count: Type.Integer({ description: 'Payments today.' }),
        },
        { description: 'The used part of the limits.' },
      ),
      time_zone: Type.String({
        description: 'IANA name of the time zone. The limits count its days and months.',
        examples: ['Europe/Berlin'],
      }),
      version: count(
        'Rises with each change of its status, its limits or what describes it. The ETag is the version in quotes.',
      ),
      created_at: time('When the account was opened.'),
    },
    { examples: [ACCOUNT_EXAMPLE] },
  ),
);
export type AccountJson = Static<typeof Account>;

export function accountJson(account: AccountMessage | undefined): AccountJson {
  if (!account?.balance) throw new Error('The response of authorization has no account, or no balance.');
  const { balance, limits, usage } = account;
  return {
    id: account.id,
    owner_id: emptyAsNull(account.ownerId),
    name: emptyAsNull(account.name),
    external_id: emptyAsNull(account.externalId),
    metadata: account.metadata,
    currency: account.currency,
    status: STATUSES.nameOf(account.state),
    balance: { posted: balance.postedMinor, held: balance.heldMinor, available: balance.availableMinor },
    limits: {
      per_payment: limits?.perPaymentMinor ?? null,
      daily: limits?.dailyMinor ?? null,
      monthly: limits?.monthlyMinor ?? null,
      daily_count: limits?.dailyCount ?? null,
    },
    usage: {
      daily: usage?.dailyMinor ?? 0n,
      monthly: usage?.monthlyMinor ?? 0n,
      daily_count: usage?.dailyCount ?? 0,
    },
    time_zone: account.timeZone,
    version: account.version,
    created_at: timeJson(account.createdAt),
  };
}
