/** Opens many accounts in one call, each with its own result. */
import { failed, type Logger, limitsOf, type Result, toRpcStatus } from '@payflowx/chassis';
import type { CreateAccountRequest, CreateAccountResult } from '@payflowx/proto/authorization';
import { type CreateAccountsDeps, createAccounts, type Opening } from '../app/create-accounts.ts';
import type { AccountRecord } from '../domain/account.ts';
import type { Actor } from '../domain/audit.ts';
import { toAccountMessage, toOpening } from './account-messages.ts';
import { ERRORS } from './errors.ts';
import { collectViolations } from './violations.ts';

const MAX_ITEMS = 500;
const checkItem = limitsOf('payflowx.authorization.v1.CreateAccountRequest');

/** Returns one result per item, in order. Throws INVALID_ARGUMENT for no items or too many. */
export async function openAccounts(
  deps: CreateAccountsDeps & { log: Logger },
  actor: Actor,
  items: readonly CreateAccountRequest[],
): Promise<CreateAccountResult[]> {
  const violations = collectViolations();
  violations.require(items.length >= 1 && items.length <= MAX_ITEMS, 'items', 'must be 1 to 500');
  violations.throwIfAny();
  const read = items.map(readOpening);
  const openings = read.flatMap((result) => (result.ok ? [result.value] : []));
  const created = (await createAccounts(deps, actor, openings)).values();
  const outcomes = read.map((result) =>
    result.ok ? (created.next().value as Result<AccountRecord>) : result,
  );
  return outcomes.map((outcome) => toResult(outcome, deps));
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
  { now, log }: { now: () => Date; log: Logger },
): CreateAccountResult {
  if (outcome.ok) return { result: { $case: 'account', value: toAccountMessage(outcome.value, now()) } };
  return { result: { $case: 'error', value: toRpcStatus(outcome.error, ERRORS, log) } };
}
