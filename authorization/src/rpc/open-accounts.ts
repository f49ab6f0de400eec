/** Opens many accounts in one call, each with its own result. */
import {
  type Call,
  collectViolations,
  failed,
  type Logger,
  limitsOf,
  originOf,
  type Result,
  recordRefusal,
  securityEventsOf,
  toRpcStatus,
} from '@payflowx/chassis';
import {
  AccountServiceService,
  type CreateAccountRequest,
  type CreateAccountResult,
} from '@payflowx/proto/authorization';
import { type CreateAccountsDeps, createAccounts, type Opening } from '../app/create-accounts.ts';
import type { AccountRecord } from '../domain/account.ts';
import { invalid } from '../domain/errors.ts';
import { toAccountMessage, toOpening } from './account-messages.ts';
import { ERRORS } from './errors.ts';

const MAX_ITEMS = 500;
/** A refused item is recorded as if it were a call of this RPC. */
const ITEM_ROUTE = AccountServiceService.createAccount.path;
const checkItem = limitsOf('payflowx.authorization.v1.CreateAccountRequest');

/** Returns one result per item, in order. Throws INVALID_ARGUMENT for no items or too many. */
export async function openAccounts(
  deps: CreateAccountsDeps & { log: Logger },
  call: Call,
  items: readonly CreateAccountRequest[],
): Promise<CreateAccountResult[]> {
  const violations = collectViolations(invalid);
  violations.require(items.length >= 1 && items.length <= MAX_ITEMS, 'items', 'must be 1 to 500');
  violations.throwIfAny();
  const read = items.map(readOpening);
  const openings = read.flatMap((result) => (result.ok ? [result.value] : []));
  const created = (await createAccounts(deps, originOf(call), openings)).values();
  const outcomes = read.map((result) =>
    result.ok ? (created.next().value as Result<AccountRecord>) : result,
  );
  return outcomes.map((outcome) => toResult(outcome, call, deps));
}

function readOpening(item: CreateAccountRequest): Result<Opening> {
  try {
    checkItem(item);
    return { ok: true, value: toOpening(item) };
  } catch (error) {
    return failed(error);
  }
}

function toResult(
  outcome: Result<AccountRecord>,
  { peer: address, caller }: Call,
  { now, log }: { now: () => Date; log: Logger },
): CreateAccountResult {
  if (outcome.ok) return { result: { $case: 'account', value: toAccountMessage(outcome.value, now()) } };
  const value = toRpcStatus(outcome.error, ERRORS, log);
  recordRefusal(securityEventsOf(log), outcome.error, value.code, { route: ITEM_ROUTE, address, caller });
  return { result: { $case: 'error', value } };
}
