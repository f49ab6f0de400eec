/** Accounts between the contract's words and our own. */
import {
  type Account as AccountMessage,
  AccountState,
  type CreateAccountRequest,
  type Limits as LimitsMessage,
} from '@payflowx/proto/authorization';
import type { CreateAccountCommand } from '../app/create-account.ts';
import type { AccountRecord, Limits } from '../domain/account.ts';
import { MAX_MINOR } from '../domain/money.ts';
import { usageIn, windowsAt } from '../domain/usage.ts';
import { collectViolations, type Violations } from './violations.ts';

/** Throws INVALID_ARGUMENT with everything that is wrong with the request. */
export function toCreateAccountCommand(
  request: CreateAccountRequest,
  callerId: string,
): CreateAccountCommand {
  const { requestId, ownerId, currency, name } = request;
  const violations = collectViolations();
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
  violations.require([...name].length <= 100, 'name', 'must be at most 100 characters');
  violations.require(!name.includes('\0'), 'name', 'must not contain the character NUL');
  const limits = toLimits(request.limits, violations);
  violations.throwIfAny();
  return { callerId, requestId, ownerId, currency, name, limits };
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

/** The account with the use of its limits as of `now`: windows that are over count as unused. */
export function toAccountMessage(account: AccountRecord, now: Date): AccountMessage {
  const { limits, posted, held } = account;
  const usage = usageIn(windowsAt(now), account.usage);
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
      dailyMinor: usage.spentToday,
      monthlyMinor: usage.spentThisMonth,
      dailyCount: usage.countToday,
    },
    version: account.version,
    createdAt: account.createdAt,
  };
}
