/** Makes a mandate for the owner of the paying account. */
import type { Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import type { Account } from '../domain/account.ts';
import { AuthorizationError, invalid } from '../domain/errors.ts';
import { type FoundMandate, type MandateRecord, type MandateTerms, sameTerms } from '../domain/mandate.ts';
import { NEVER_USED } from '../domain/usage.ts';
import { readAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { findMandateByRequest, insertMandate } from '../store/mandates.ts';

export interface CreateMandateDeps {
  db: Kysely<Database>;
  now: () => Date;
  newMandateId: () => string;
}

export interface CreateMandateCommand {
  origin: Origin;
  /** Empty: not idempotent. */
  requestId: string;
  terms: MandateTerms;
}

/**
 * Returns the new mandate. A retry gets the first response again, whatever happened to the mandate since.
 *
 * Throws FROM_ACCOUNT_NOT_FOUND, also for an account of another owner, TO_ACCOUNT_NOT_FOUND, SAME_ACCOUNT, CURRENCY_MISMATCH,
 * INVALID_ARGUMENT for a time that is over, REQUEST_ID_REUSED.
 */
export function createMandate(
  deps: CreateMandateDeps,
  { origin, requestId, terms }: CreateMandateCommand,
): Promise<FoundMandate> {
  return inTransaction(deps.db, async (trx) => {
    const key = { callerId: origin.callerId, requestId };
    const earlier = await findMandateByRequest(trx, key);
    if (earlier) return asCreated(earlier, terms);
    const { mandate, timeZone } = await prepare(trx, deps, origin, terms);
    if (await insertMandate(trx, mandate, requestId)) return { mandate, timeZone };
    // The same request, at the same moment.
    const first = await findMandateByRequest(trx, key);
    if (!first) throw new Error('A request id is used, but its mandate is missing.');
    return asCreated(first, terms);
  });
}

async function prepare(
  trx: Transaction<Database>,
  { now, newMandateId }: CreateMandateDeps,
  origin: Origin,
  terms: MandateTerms,
): Promise<FoundMandate> {
  const { fromAccount, toAccount, validUntil } = terms;
  if (fromAccount === toAccount)
    throw new AuthorizationError('SAME_ACCOUNT', 'An account cannot collect from itself.');
  const { accounts } = await readAccounts(trx, [fromAccount, toAccount]);
  const from = accounts.get(fromAccount);
  const to = accounts.get(toAccount);
  // Without an account of its own, the caller does not learn whether the other one exists.
  if (!from || from.ownerId !== origin.callerId)
    throw new AuthorizationError('FROM_ACCOUNT_NOT_FOUND', 'There is no such account to pay from.');
  if (!to || to.ownerId === null)
    throw new AuthorizationError('TO_ACCOUNT_NOT_FOUND', 'The receiving account does not exist.');
  if (from.currency !== to.currency)
    throw new AuthorizationError('CURRENCY_MISMATCH', 'Both accounts must be in the same currency.');
  const createdAt = now();
  if (validUntil <= createdAt)
    throw invalid([{ field: 'valid_until', description: 'must be later than now' }]);
  const owners = { fromOwnerId: origin.callerId, toOwnerId: to.ownerId };
  const mandate = newMandate(terms, { id: newMandateId(), ...owners, createdAt, createdBy: origin }, from);
  return { mandate, timeZone: from.timeZone };
}

function newMandate(
  terms: MandateTerms,
  made: Pick<MandateRecord, 'id' | 'fromOwnerId' | 'toOwnerId' | 'createdAt' | 'createdBy'>,
  { currency }: Account,
): MandateRecord {
  return { ...terms, ...made, currency, ...UNUSED };
}

const UNUSED = { usage: NEVER_USED, revokedAt: undefined, revokedBy: undefined } as const;

function asCreated({ mandate, timeZone }: FoundMandate, terms: MandateTerms): FoundMandate {
  if (!sameTerms(mandate, terms))
    throw new AuthorizationError('REQUEST_ID_REUSED', 'This request id was used for another request.');
  return { mandate: { ...mandate, ...UNUSED }, timeZone };
}
