/** The limits of an account in requests. */
import type { Limits as LimitsMessage } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { Amount, MAX_AMOUNT } from './money.ts';
import { named, ref } from './named.ts';

const MAX_DAILY_COUNT = 1_000_000;

/** For a new account. */
export const Limits = named(
  'Limits',
  Type.Object(
    {
      per_payment: Type.Optional(ref(Amount)),
      daily: Type.Optional(ref(Amount)),
      monthly: Type.Optional(ref(Amount)),
      daily_count: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DAILY_COUNT, examples: [50] })),
    },
    { additionalProperties: false, description: 'An absent field means no limit.' },
  ),
);

const changed = (maximum: number, example: number) =>
  Type.Optional(
    Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 1, maximum, examples: [example] }),
  );

/** For an existing account. */
export const LimitChanges = named(
  'LimitChanges',
  Type.Unsafe<Partial<Record<keyof Static<typeof Limits>, number | null>> | null>({
    type: ['object', 'null'],
    properties: {
      per_payment: changed(MAX_AMOUNT, 50_000),
      daily: changed(MAX_AMOUNT, 100_000),
      monthly: changed(MAX_AMOUNT, 1_000_000),
      daily_count: changed(MAX_DAILY_COUNT, 50),
    },
    additionalProperties: false,
    examples: [{ daily: 100_000, monthly: null }],
    description: 'Absent limits keep their value. Null removes a limit; `limits: null` removes all.',
  }),
);

export function limitsMessage({
  per_payment,
  daily,
  monthly,
  daily_count,
}: Static<typeof Limits>): LimitsMessage {
  return {
    perPaymentMinor: bigIntOf(per_payment),
    dailyMinor: bigIntOf(daily),
    monthlyMinor: bigIntOf(monthly),
    dailyCount: daily_count,
  };
}

/** Applies `changes` to the current limits of the account, because the RPC replaces all limits at once. */
export function mergedLimits(
  now: LimitsMessage | undefined,
  changes: Static<typeof LimitChanges>,
): LimitsMessage {
  if (changes === null) return limitsMessage({});
  const { per_payment, daily, monthly, daily_count } = changes;
  return {
    perPaymentMinor: merged(now?.perPaymentMinor, per_payment, BigInt),
    dailyMinor: merged(now?.dailyMinor, daily, BigInt),
    monthlyMinor: merged(now?.monthlyMinor, monthly, BigInt),
    dailyCount: merged(now?.dailyCount, daily_count, Number),
  };
}

function merged<T>(now: T | undefined, change: number | null | undefined, read: (value: number) => T) {
  if (change === undefined) return now;
  return change === null ? undefined : read(change);
}

const bigIntOf = (value: number | undefined) => (value === undefined ? undefined : BigInt(value));
