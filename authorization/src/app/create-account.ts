/** Opens an account. */
import { hash } from 'node:crypto';
import { inTransaction } from '@payflowx/chassis';
import type { Kysely, Transaction } from 'kysely';
import type { AccountRecord, Limits } from '../domain/account.ts';
import { externalAccountId } from '../domain/account.ts';
import { type Actor, auditedFacts } from '../domain/audit.ts';
import { AuthorizationError } from '../domain/errors.ts';
import { NEVER_USED } from '../domain/usage.ts';
import { insertAuditRecord } from '../store/account-audit.ts';
import { claimRequest, findRequest } from '../store/account-requests.ts';
import { insertAccount, insertExternalAccount } from '../store/accounts.ts';
import type { Database } from '../store/database.ts';
import { isCurrency } from './currencies.ts';

export interface CreateAccountCommand {
  actor: Actor;
  /** Empty: not idempotent. */
  requestId: string;
  ownerId: string;
  currency: string;
  name: string;
  limits: Limits;
  timeZone: string;
}

export interface CreateAccountDeps {
  db: Kysely<Database>;
  now: () => Date;
  newAccountId: () => string;
  newAuditId: () => string;
}

/**
 * The account with balance 0. The same request again gets the same answer, whatever became of the account since.
 * Throws CURRENCY_UNKNOWN, REQUEST_ID_REUSED.
 */
export async function createAccount(
  { db, now, newAccountId, newAuditId }: CreateAccountDeps,
  command: CreateAccountCommand,
): Promise<AccountRecord> {
  if (!isCurrency(command.currency)) {
    throw new AuthorizationError('CURRENCY_UNKNOWN', 'The currency is not one of ISO 4217.', {
      violations: [{ field: 'currency', description: 'must be the code of a currency in use, such as EUR' }],
    });
  }
  return inTransaction(db, async (trx) => {
    const account = openedAccount(command, { id: newAccountId(), createdAt: now() });
    if (command.requestId !== '') {
      const first = await firstAnswer(trx, command, account);
      if (first.id !== account.id) return openedAccount(command, first);
    }
    // Before the first account of a currency there is no world outside of it to be paid from.
    await insertExternalAccount(trx, externalAccountId(command.currency), command.currency, now());
    await insertAccount(trx, account);
    await insertAuditRecord(trx, {
      id: newAuditId(),
      actor: command.actor,
      action: 'account.created',
      accountId: account.id,
      reason: '',
      before: undefined,
      after: auditedFacts(account),
      createdAt: account.createdAt,
    });
    return account;
  });
}

/** Claims the request id for `account`, or finds the account that an earlier request with this id opened. */
async function firstAnswer(
  trx: Transaction<Database>,
  command: CreateAccountCommand,
  { id, createdAt }: AccountRecord,
): Promise<{ id: string; createdAt: Date }> {
  const { requestId } = command;
  const callerId = command.actor.id;
  const fingerprint = fingerprintOf(command);
  const claimed = await claimRequest(trx, { callerId, requestId, fingerprint, accountId: id, createdAt });
  if (claimed) return { id, createdAt };
  const earlier = await findRequest(trx, { callerId, requestId });
  if (earlier.fingerprint !== fingerprint) {
    throw new AuthorizationError('REQUEST_ID_REUSED', 'This request id was used for another request.');
  }
  return { id: earlier.accountId, createdAt: earlier.createdAt };
}

/** An account as it is in the moment it is opened. */
function openedAccount(
  { ownerId, currency, name, limits, timeZone }: CreateAccountCommand,
  { id, createdAt }: { id: string; createdAt: Date },
): AccountRecord {
  return {
    id,
    ownerId,
    name,
    currency,
    isExternal: false,
    state: 'ACTIVE',
    limits,
    timeZone,
    posted: 0n,
    held: 0n,
    usage: NEVER_USED,
    version: 1n,
    createdAt,
  };
}

function fingerprintOf({ ownerId, currency, name, limits, timeZone }: CreateAccountCommand): string {
  const { perPayment, daily, monthly, dailyCount } = limits;
  return hash(
    'sha256',
    JSON.stringify([
      ownerId,
      currency,
      name,
      `${perPayment}`,
      `${daily}`,
      `${monthly}`,
      dailyCount,
      timeZone,
    ]),
    'base64url',
  );
}
