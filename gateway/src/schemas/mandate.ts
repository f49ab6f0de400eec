/** A mandate as clients see it. */
import {
  type Mandate as MandateMessage,
  type MandateOrigin,
  MandateState,
} from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { AnyAccountId, MandateId } from './ids.ts';
import { Currency, minorUnits, nullableMinorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { emptyAsNull, nullableText, nullableTime, nullableTimeJson, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const MANDATE_STATES = wireNames(
  'The state of the mandate. One that was revoked before its end stays `revoked`.',
  {
    [MandateState.ACTIVE]: 'active',
    [MandateState.REVOKED]: 'revoked',
    [MandateState.EXPIRED]: 'expired',
  },
);

const Origin = Type.Object({
  actor_id: Type.String({ description: 'The user.' }),
  client_id: nullableText('The API client that acted for the user; null if a person did.'),
  trace_id: Type.String({ description: 'The trace of the request, which its caller may choose.' }),
  call_id: Type.String({ description: 'The id of the call, which no caller can choose.' }),
});

const EXAMPLE = {
  id: 'man_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  state: 'active',
  from_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3e',
  to_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3f',
  currency: 'EUR',
  per_payment: 5_000,
  daily: null,
  monthly: 10_000,
  usage: { daily: 1_250, monthly: 1_250 },
  valid_until: '2027-01-31T12:00:00.000Z',
  reference: 'gym membership',
  created_at: '2026-01-31T12:00:00.000Z',
  revoked_at: null,
  created_by: null,
  revoked_by: null,
};

export const Mandate = named(
  'Mandate',
  Type.Object(
    {
      id: ref(MandateId),
      state: MANDATE_STATES.schema,
      from_account: ref(AnyAccountId),
      to_account: ref(AnyAccountId),
      currency: ref(Currency),
      per_payment: nullableMinorUnits('The most that one payment may move; null means no limit.'),
      daily: nullableMinorUnits(
        'The most in a day of the time zone of the payer’s account; null means no limit.',
      ),
      monthly: nullableMinorUnits(
        'The most in a calendar month of the time zone of the payer’s account; null means no limit.',
      ),
      usage: Type.Object(
        { daily: minorUnits('Collected today.'), monthly: minorUnits('Collected this month.') },
        { description: 'The used part of the limits.' },
      ),
      valid_until: time('It ends at this time.'),
      reference: nullableText('A text of the payer, which both sides see.'),
      created_at: time('When it was made.'),
      revoked_at: nullableTime('When it was revoked; null if it was not.'),
      created_by: nullable(Origin, 'The request that made it, for operators and auditors; null for others.'),
      revoked_by: nullable(
        Origin,
        'The request that revoked it, for operators and auditors; null for others, and if it was not revoked.',
      ),
    },
    { examples: [EXAMPLE] },
  ),
);
export type MandateJson = Static<typeof Mandate>;

export function mandateJson(mandate: MandateMessage | undefined): MandateJson {
  if (!mandate?.usage) throw new Error('The response of authorization has no mandate, or no usage.');
  const { limits, usage } = mandate;
  return {
    id: mandate.id,
    state: MANDATE_STATES.nameOf(mandate.state),
    from_account: mandate.fromAccount,
    to_account: mandate.toAccount,
    currency: mandate.currency,
    per_payment: limits?.perPaymentMinor ?? null,
    daily: limits?.dailyMinor ?? null,
    monthly: limits?.monthlyMinor ?? null,
    usage: { daily: usage.dailyMinor, monthly: usage.monthlyMinor },
    valid_until: timeJson(mandate.validUntil),
    reference: emptyAsNull(mandate.reference),
    created_at: timeJson(mandate.createdAt),
    revoked_at: nullableTimeJson(mandate.revokedAt),
    created_by: originJson(mandate.createdBy),
    revoked_by: originJson(mandate.revokedBy),
  };
}

function originJson(origin: MandateOrigin | undefined) {
  if (!origin) return null;
  const { actorId, clientId, traceId, callId } = origin;
  return { actor_id: actorId, client_id: emptyAsNull(clientId), trace_id: traceId, call_id: callId };
}
