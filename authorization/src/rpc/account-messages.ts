/** Converts accounts between the contract's messages and the types of this service. */

import { collectViolations, type Violations } from '@payflowx/chassis';
import { requireMetadata } from '@payflowx/chassis/metadata';
import {
  type AccountAuditRecord,
  type Account as AccountMessage,
  AccountState,
  type ChangeAccountStateRequest,
  type CreateAccountRequest,
  type Limits as LimitsMessage,
  type ListAccountsRequest,
  type UpdateAccountRequest,
} from '@payflowx/proto/authorization';
import type { Opening } from '../app/create-accounts.ts';
import type { AccountFilter, AccountRecord, Limits, AccountState as State } from '../domain/account.ts';
import { externalAccountId } from '../domain/account.ts';
import type { AccountUpdate } from '../domain/account-changes.ts';
import type { AuditRecord } from '../domain/audit.ts';
import { isTimeZone } from '../domain/calendar.ts';
import { invalid } from '../domain/errors.ts';
import { MAX_MINOR } from '../domain/money.ts';
import { shown, usageIn, windowsAt } from '../domain/usage.ts';

/** Throws INVALID_ARGUMENT with all violations. */
export function toOpening(request: CreateAccountRequest): Opening {
  const { requestId, ownerId, currency, name, externalId, metadata } = request;
  const violations = collectViolations(invalid);
  violations.require(
    /^[\x21-\x7e]{0,255}$/.test(requestId),
    'request_id',
    'must be at most 255 visible ASCII characters',
  );
  violations.require(
    /^usr_[0-9A-Za-z-]{1,60}$/.test(ownerId),
    'owner_id',
    'must be the id of a user (usr_…)',
  );
  violations.requireText('name', name, 100);
  violations.requireText('external_id', externalId, 100);
  requireMetadata(violations, metadata);
  const limits = toLimits(request.limits, violations);
  const timeZone = request.timeZone === '' ? 'UTC' : request.timeZone;
  requireTimeZone(violations, timeZone);
  violations.throwIfAny();
  return { requestId, ownerId, currency, name, limits, timeZone, externalId, metadata };
}

/** Throws INVALID_ARGUMENT with all violations. */
export function toAccountUpdate(request: UpdateAccountRequest): {
  accountId: string;
  expectedVersion: bigint;
  update: AccountUpdate;
} {
  const { accountId, expectedVersion, name, timeZone, externalId, metadata, removedMetadata } = request;
  const violations = collectViolations(invalid);
  requireOwned(violations, accountId);
  violations.require(
    expectedVersion >= 1n,
    'expected_version',
    'must be the version that the caller last read',
  );
  if (name !== undefined) violations.requireText('name', name, 100);
  if (externalId !== undefined) violations.requireText('external_id', externalId, 100);
  requireMetadata(violations, metadata);
  const limits = request.limits && toLimits(request.limits, violations);
  if (timeZone !== undefined) requireTimeZone(violations, timeZone);
  violations.throwIfAny();
  const update = { name, limits, timeZone, externalId, metadata, removedMetadata };
  return { accountId, expectedVersion, update };
}

/** Throws INVALID_ARGUMENT. */
export function toAccountFilter({ ownerId, state, name, externalId }: ListAccountsRequest): AccountFilter {
  const violations = collectViolations(invalid);
  const known = STATES.get(state);
  const isAny = state === AccountState.UNSPECIFIED;
  violations.require(isAny || known !== undefined, 'state', 'must be ACTIVE, FROZEN or CLOSED');
  violations.throwIfAny();
  return {
    ownerId: ownerId || undefined,
    state: known,
    name: name || undefined,
    externalId: externalId || undefined,
  };
}

const STATES = new Map<AccountState, State>([
  [AccountState.ACTIVE, 'ACTIVE'],
  [AccountState.FROZEN, 'FROZEN'],
  [AccountState.CLOSED, 'CLOSED'],
]);

/** Throws INVALID_ARGUMENT with all violations. */
export function toStateChange(request: ChangeAccountStateRequest): {
  accountId: string;
  state: State;
  expectedVersion: bigint | undefined;
  reason: string;
} {
  const { accountId, expectedVersion, reason } = request;
  const state = STATES.get(request.state);
  const violations = collectViolations(invalid);
  requireOwned(violations, accountId);
  violations.require(state !== undefined, 'state', 'must be ACTIVE, FROZEN or CLOSED');
  violations.require(expectedVersion >= 0n, 'expected_version', 'must be a version, or 0 for any');
  violations.requireText('reason', reason, 500);
  violations.throwIfAny();
  return {
    accountId,
    state: state ?? 'ACTIVE',
    expectedVersion: expectedVersion === 0n ? undefined : expectedVersion,
    reason,
  };
}

/** Operators cannot change the external account: frozen or closed it would stop all deposits and withdrawals of a currency. */
function requireOwned(violations: Violations, accountId: string): void {
  const description = 'must not be an external account';
  violations.require(!accountId.startsWith(externalAccountId('')), 'account_id', description);
}

function requireTimeZone(violations: Violations, timeZone: string): void {
  const description = 'must be the IANA name of a time zone, such as Europe/Berlin';
  violations.require(isTimeZone(timeZone), 'time_zone', description);
}

const MAX_COUNT = 2_147_483_647;

function toLimits(limits: LimitsMessage | undefined, violations: Violations): Limits {
  const { perPaymentMinor = null, dailyMinor = null, monthlyMinor = null, dailyCount = null } = limits ?? {};
  for (const [field, amount] of [
    ['limits.per_payment_minor', perPaymentMinor],
    ['limits.daily_minor', dailyMinor],
    ['limits.monthly_minor', monthlyMinor],
  ] as const) {
    const fits = amount === null || (amount >= 0n && amount <= MAX_MINOR);
    violations.require(fits, field, 'must be 0 to 9,007,199,254,740,991 minor units');
  }
  const countFits = dailyCount === null || (dailyCount >= 0 && dailyCount <= MAX_COUNT);
  violations.require(countFits, 'limits.daily_count', 'must not be negative');
  return { perPayment: perPaymentMinor, daily: dailyMinor, monthly: monthlyMinor, dailyCount };
}

/** Converts the account, with the use of its limits as of `now`: windows that are over count as unused. */
export function toAccountMessage(account: AccountRecord, now: Date): AccountMessage {
  const { limits, posted, held } = account;
  const usage = usageIn(windowsAt(now, account.timeZone), account.usage);
  return {
    id: account.id,
    ownerId: account.ownerId ?? '',
    name: account.name,
    currency: account.currency,
    state: AccountState[account.state],
    balance: { postedMinor: posted, heldMinor: held, availableMinor: posted - held },
    limits: {
      perPaymentMinor: limits.perPayment ?? undefined,
      dailyMinor: limits.daily ?? undefined,
      monthlyMinor: limits.monthly ?? undefined,
      dailyCount: limits.dailyCount ?? undefined,
    },
    usage: {
      dailyMinor: shown(usage.spentToday),
      monthlyMinor: shown(usage.spentThisMonth),
      dailyCount: usage.countToday,
    },
    version: account.version,
    createdAt: account.createdAt,
    timeZone: account.timeZone,
    externalId: account.externalId,
    metadata: { ...account.metadata },
  };
}

export function toAuditMessage(record: AuditRecord): AccountAuditRecord {
  const { id, origin, action, accountId, reason, before, after, createdAt } = record;
  return {
    id,
    actorId: origin.callerId,
    action,
    accountId,
    reason,
    beforeJson: before === undefined ? '' : JSON.stringify(before),
    afterJson: JSON.stringify(after),
    traceId: origin.traceId,
    createdAt,
    clientId: origin.clientId ?? '',
    callId: origin.callId ?? '',
  };
}
