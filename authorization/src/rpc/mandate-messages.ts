/** Converts mandates between the contract's messages and the types of this service. */
import { type Caller, collectViolations, type Origin, type Violations } from '@payflowx/chassis';
import {
  type CreateMandateRequest,
  type MandateLimits as LimitsMessage,
  type ListMandatesRequest,
  type Mandate as MandateMessage,
  type MandateOrigin,
  MandateState as StateMessage,
} from '@payflowx/proto/authorization';
import type { CreateMandateCommand } from '../app/create-mandate.ts';
import { type ListRequest, seesAllMandates } from '../app/read-mandates.ts';
import { invalid } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import { type FoundMandate, type MandateLimits, type MandateState, stateAt } from '../domain/mandate.ts';
import { isPayable } from '../domain/money.ts';
import { shown, usageIn, windowsAt } from '../domain/usage.ts';

const ID_RULE = 'must be 1 to 64 visible ASCII characters';
const LIMIT_RULE = 'must be 1 to 9,007,199,254,740,991 minor units';

/** Throws INVALID_ARGUMENT with all violations. */
export function toCreateMandateCommand(request: CreateMandateRequest, origin: Origin): CreateMandateCommand {
  const { requestId, fromAccount, toAccount, validUntil, reference } = request;
  const violations = collectViolations(invalid);
  violations.require(
    /^[\x21-\x7e]{0,255}$/.test(requestId),
    'request_id',
    'must be at most 255 visible ASCII characters',
  );
  violations.require(isId(fromAccount), 'from_account', ID_RULE);
  violations.require(isId(toAccount), 'to_account', ID_RULE);
  requireLimits(violations, request);
  violations.require(validUntil !== undefined, 'valid_until', 'must be given');
  violations.requireText('reference', reference, 100);
  violations.throwIfAny();
  const terms = {
    fromAccount,
    toAccount,
    limits: toLimits(request),
    validUntil: validUntil ?? new Date(0),
    reference,
  };
  return { origin, requestId, terms };
}

function requireLimits(violations: Violations, limits: LimitsMessage): void {
  const isLimit = (amount: bigint | undefined) => amount === undefined || isPayable(amount);
  violations.require(isLimit(limits.perPaymentMinor), 'per_payment_minor', LIMIT_RULE);
  violations.require(isLimit(limits.dailyMinor), 'daily_minor', LIMIT_RULE);
  violations.require(isLimit(limits.monthlyMinor), 'monthly_minor', LIMIT_RULE);
}

function toLimits({ perPaymentMinor, dailyMinor, monthlyMinor }: LimitsMessage): MandateLimits {
  return {
    perPayment: perPaymentMinor ?? null,
    daily: dailyMinor ?? null,
    monthly: monthlyMinor ?? null,
  };
}

const STATES = new Map<StateMessage, MandateState>([
  [StateMessage.ACTIVE, 'ACTIVE'],
  [StateMessage.REVOKED, 'REVOKED'],
  [StateMessage.EXPIRED, 'EXPIRED'],
]);

/** Throws INVALID_ARGUMENT with all violations. */
export function toListRequest(request: ListMandatesRequest): ListRequest {
  const { pageSize, pageToken, accountId, fromAccount, toAccount, reference } = request;
  const state = STATES.get(request.state);
  const violations = collectViolations(invalid);
  const requireId = (field: string, id: string) => violations.require(id === '' || isId(id), field, ID_RULE);
  requireId('account_id', accountId);
  requireId('from_account', fromAccount);
  requireId('to_account', toAccount);
  const isKnown = state !== undefined || request.state === StateMessage.UNSPECIFIED;
  violations.require(isKnown, 'state', 'must be ACTIVE, REVOKED or EXPIRED');
  violations.requireText('reference', reference, 100);
  violations.throwIfAny();
  return {
    pageSize,
    pageToken,
    filter: {
      accountId: accountId || undefined,
      fromAccount: fromAccount || undefined,
      toAccount: toAccount || undefined,
      state,
      reference: reference || undefined,
      createdAfter: request.createdAfter,
      createdBefore: request.createdBefore,
    },
  };
}

/** Only operators and auditors see who changed it. */
export function toMandateMessage(
  caller: Caller,
  { mandate, timeZone }: FoundMandate,
  now: Date,
): MandateMessage {
  const { limits, createdBy, revokedBy } = mandate;
  const usage = usageIn(windowsAt(now, timeZone), mandate.usage);
  const seesOrigins = seesAllMandates(caller);
  return {
    id: mandate.id,
    state: StateMessage[stateAt(mandate, now)],
    fromAccount: mandate.fromAccount,
    toAccount: mandate.toAccount,
    currency: mandate.currency,
    limits: {
      perPaymentMinor: limits.perPayment ?? undefined,
      dailyMinor: limits.daily ?? undefined,
      monthlyMinor: limits.monthly ?? undefined,
    },
    usage: { dailyMinor: shown(usage.spentToday), monthlyMinor: shown(usage.spentThisMonth) },
    validUntil: mandate.validUntil,
    reference: mandate.reference,
    createdAt: mandate.createdAt,
    revokedAt: mandate.revokedAt,
    createdBy: seesOrigins ? toOriginMessage(createdBy) : undefined,
    revokedBy: seesOrigins && revokedBy ? toOriginMessage(revokedBy) : undefined,
  };
}

function toOriginMessage({ callerId, clientId = '', traceId, callId = '' }: Origin): MandateOrigin {
  return { actorId: callerId, clientId, traceId, callId };
}
