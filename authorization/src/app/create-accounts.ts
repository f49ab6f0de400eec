/** Opens one account, or many in one transaction. */
import { hash } from 'node:crypto';
import { failed, type Origin, ok, type Result } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import { isCurrency } from '@payflowx/proto/currency';
import type { Kysely, Transaction } from 'kysely';
import type { AccountRecord, Limits } from '../domain/account.ts';
import { type AuditRecord, auditedFacts } from '../domain/audit.ts';
import { AuthorizationError } from '../domain/errors.ts';
import { NEVER_USED } from '../domain/usage.ts';
import { insertAuditRecords } from '../store/account-audit.ts';
import { type AccountRequest, claimRequests, findRequests } from '../store/account-requests.ts';
import { insertAccounts, insertExternalAccounts } from '../store/accounts.ts';
import type { Database } from '../store/database.ts';

/** The fields of a new account. */
export interface Opening {
  /** The caller's own request id. Empty: not idempotent. */
  requestId: string;
  ownerId: string;
  currency: string;
  name: string;
  limits: Limits;
  timeZone: string;
  externalId: string;
  metadata: Readonly<Record<string, string>>;
}

export interface CreateAccountsDeps {
  db: Kysely<Database>;
  now: () => Date;
  newAccountId: () => string;
  newAuditId: () => string;
}

/**
 * Returns one result per opening, in order: the account with balance 0, or an error. A retry gets the first response again,
 * whatever happened to the account since; so does a duplicate within one batch. Errors: OWN_ACCOUNT, CURRENCY_UNKNOWN,
 * REQUEST_ID_REUSED.
 */
export async function createAccounts(
  deps: CreateAccountsDeps,
  origin: Origin,
  openings: readonly Opening[],
): Promise<Result<AccountRecord>[]> {
  const { db, now, newAccountId } = deps;
  return inTransaction(db, async (trx) => {
    const createdAt = now();
    const candidates = openings.map((opening) => openedAccount(opening, { id: newAccountId(), createdAt }));
    const known = await claimRequestIds(trx, origin, openings, candidates);
    const results = openings.map((opening, index) =>
      openingResult(origin, opening, candidates[index] as AccountRecord, known.get(opening.requestId)),
    );
    const answered = new Set(results.map((result) => (result.ok ? result.value.id : undefined)));
    const opened = candidates.filter(({ id }) => answered.has(id));
    if (opened.length > 0) await saveOpened(trx, deps, origin, opened);
    return results;
  });
}

/** Opens one account. Throws OWN_ACCOUNT, CURRENCY_UNKNOWN, REQUEST_ID_REUSED. */
export async function createAccount(
  deps: CreateAccountsDeps,
  origin: Origin,
  opening: Opening,
): Promise<AccountRecord> {
  const [result] = await createAccounts(deps, origin, [opening]);
  if (!result) throw new Error('An account opening has no result.');
  if (result.ok) return result.value;
  throw result.error;
}

/** Claims each free request id for its candidate. Returns the account of every id, claimed now or earlier. */
async function claimRequestIds(
  trx: Transaction<Database>,
  origin: Origin,
  openings: readonly Opening[],
  candidates: readonly AccountRecord[],
): Promise<Map<string, AccountRequest>> {
  const requests = openings.flatMap((opening, index) => {
    const { requestId } = opening;
    const { id, createdAt } = candidates[index] as AccountRecord;
    if (requestId === '' || refusalOf(origin, opening)) return [];
    return [{ requestId, fingerprint: fingerprintOf(opening), accountId: id, createdAt }];
  });
  if (requests.length === 0) return new Map();
  await claimRequests(trx, origin.callerId, requests);
  const ids = requests.map(({ requestId }) => requestId);
  const known = await findRequests(trx, origin.callerId, ids);
  return new Map(known.map((request) => [request.requestId, request]));
}

/** Returns the candidate, the account that this request id opened earlier, or an error. */
function openingResult(
  origin: Origin,
  opening: Opening,
  candidate: AccountRecord,
  known: AccountRequest | undefined,
): Result<AccountRecord> {
  const refusal = refusalOf(origin, opening);
  if (refusal) return failed(refusal);
  if (!known) return ok(candidate);
  if (known.fingerprint !== fingerprintOf(opening)) {
    const message = 'This request id was used for another request.';
    return failed(new AuthorizationError('REQUEST_ID_REUSED', message));
  }
  return ok(openedAccount(opening, { id: known.accountId, createdAt: known.createdAt }));
}

/** Separation of duties: no operator chooses the limits of an account of its own. */
function refusalOf(origin: Origin, { ownerId, currency }: Opening): AuthorizationError | undefined {
  if (ownerId === origin.callerId) {
    const message = 'An operator may not open an account of its own. Another operator must do it.';
    return new AuthorizationError('OWN_ACCOUNT', message);
  }
  if (isCurrency(currency)) return undefined;
  const description = 'must be the code of a currency in use, such as EUR';
  const violations = [{ field: 'currency', description }];
  return new AuthorizationError('CURRENCY_UNKNOWN', 'The currency is not one of ISO 4217.', { violations });
}

async function saveOpened(
  trx: Transaction<Database>,
  { now, newAuditId }: CreateAccountsDeps,
  origin: Origin,
  opened: readonly AccountRecord[],
): Promise<void> {
  // Inserts the external account before the first account of a currency, since payments into the platform come from it.
  const currencies = [...new Set(opened.map(({ currency }) => currency))];
  await insertExternalAccounts(trx, currencies, now());
  await insertAccounts(trx, opened);
  await insertAuditRecords(
    trx,
    opened.map(
      (account): AuditRecord => ({
        id: newAuditId(),
        origin,
        action: 'account.created',
        accountId: account.id,
        reason: '',
        before: undefined,
        after: auditedFacts(account),
        createdAt: account.createdAt,
      }),
    ),
  );
}

/** Returns a new account with balance 0. */
function openedAccount(
  { ownerId, currency, name, limits, timeZone, externalId, metadata }: Opening,
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
    externalId,
    metadata,
    posted: 0n,
    held: 0n,
    usage: NEVER_USED,
    version: 1n,
    createdAt,
    decidedAt: undefined,
  };
}

function fingerprintOf(opening: Opening): string {
  const { ownerId, currency, name, limits, timeZone } = opening;
  const { perPayment, daily, monthly, dailyCount } = limits;
  const facts = [ownerId, currency, name, `${perPayment}`, `${daily}`, `${monthly}`, dailyCount, timeZone];
  return hash('sha256', JSON.stringify([...facts, ...referencesOf(opening)]), 'base64url');
}

/** Empty without any, so that a request from before these fields existed has the same fingerprint. */
function referencesOf({ externalId, metadata }: Opening): unknown[] {
  const pairs = Object.entries(metadata).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return externalId === '' && pairs.length === 0 ? [] : [externalId, pairs];
}
