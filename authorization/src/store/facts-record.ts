/**
 * Encodes facts for storage by position, since names would be half of the bytes. Values that are in the decision's row (payment
 * id, time) are not repeated. New facts are added at the end, and no position changes its meaning.
 */

import type { Basis } from '../domain/decision-context.ts';
import type { AccountFacts, Facts } from '../domain/facts.ts';

type AccountRecord = readonly [
  id: string,
  owner: string,
  currency: string,
  state: string,
  posted: number,
  held: number,
  available: number,
  ageDays: number,
];

export type FactsRecord = readonly [
  allowed: 0 | 1,
  payment: readonly [string, number, string, string, string, string],
  metadata: Readonly<Record<string, string>>,
  from: AccountRecord,
  to: AccountRecord,
  usage: readonly [number, number, number],
  limits: readonly (number | null)[],
  caller: readonly [id: string, ...roles: string[]],
];

export function encodeFacts({ facts, allowed }: Basis): string {
  const { payment, metadata, from, to, usage, limits, caller } = facts;
  const { kind, amount, currency, capture, description, reference } = payment;
  const record: FactsRecord = [
    allowed ? 1 : 0,
    [kind, Number(amount), currency, capture, description, reference],
    metadata,
    encodeAccount(from),
    encodeAccount(to),
    [Number(usage.daily), Number(usage.monthly), Number(usage.daily_count)],
    [limits.per_payment, limits.daily, limits.monthly, limits.daily_count].map(toNullable),
    [caller.id, ...caller.roles],
  ];
  return JSON.stringify(record);
}

/** All amounts fit exactly into a JSON number. */
function encodeAccount({ id, owner, currency, state, ...figures }: AccountFacts): AccountRecord {
  const { posted, held, available, age_days } = figures;
  return [id, owner, currency, state, Number(posted), Number(held), Number(available), Number(age_days)];
}

const toNullable = (limit: bigint | undefined) => (limit === undefined ? null : Number(limit));

export function decodeFacts(record: FactsRecord, { id, now }: { id: string; now: Date }): Basis {
  const [allowed, payment, metadata, from, to, usage, limits, caller] = record;
  const [kind, amount, currency, capture, description, reference] = payment;
  const [perPayment, daily, monthly, dailyCount] = limits.map((limit) =>
    limit === null ? undefined : BigInt(limit),
  );
  const [callerId, ...roles] = caller;
  const facts: Facts = {
    payment: {
      id,
      kind: kind as Facts['payment']['kind'],
      amount: BigInt(amount),
      currency,
      capture: capture as Facts['payment']['capture'],
      description,
      reference,
    },
    metadata,
    from: decodeAccount(from),
    to: decodeAccount(to),
    usage: { daily: BigInt(usage[0]), monthly: BigInt(usage[1]), daily_count: BigInt(usage[2]) },
    limits: { per_payment: perPayment, daily, monthly, daily_count: dailyCount },
    caller: { id: callerId, roles },
    now,
  };
  return { facts, allowed: allowed === 1 };
}

function decodeAccount(record: AccountRecord): AccountFacts {
  // Earlier versions stored another available amount for the external account.
  const [id, owner, currency, state, posted, held, , ageDays] = record;
  return {
    id,
    owner,
    currency,
    state,
    posted: BigInt(posted),
    held: BigInt(held),
    available: BigInt(posted) - BigInt(held),
    age_days: BigInt(ageDays),
  };
}
