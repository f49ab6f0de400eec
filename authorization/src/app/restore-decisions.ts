/**
 * Restores decisions that this database lost, from those that payment stored, with the balances, holds and use of limits that follow
 * from them. All of it is one transaction: a run that is killed has changed nothing.
 */
import { idAt, type Logger } from '@payflowx/chassis';
import type { Kysely, Transaction } from 'kysely';
import { type Account, type AccountRecord, NO_LIMITS, unopenedExternal } from '../domain/account.ts';
import { auditedFacts } from '../domain/audit.ts';
import type { Hold } from '../domain/hold.ts';
import type { Mandate } from '../domain/mandate.ts';
import { type Replayed, replay } from '../domain/past-decision.ts';
import { NEVER_USED } from '../domain/usage.ts';
import { decodeDecidedStep, type RecordedDecision } from '../messages/decided-step.ts';
import { insertAuditRecords } from '../store/account-audit.ts';
import { insertAccounts, insertExternalAccounts } from '../store/accounts.ts';
import { readAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import type { DecidedStep } from '../store/decided-batch.ts';
import { findHolds } from '../store/holds.ts';
import { findMandates } from '../store/mandates.ts';
import {
  createRecorded,
  freeze,
  insertDecisions,
  insertRecorded,
  lockTables,
  removeKnown,
  saveReplayed,
  takeOldest,
} from '../store/recorded-decisions.ts';
import { fingerprintOf } from './decide-steps.ts';

export interface RestoreDeps {
  db: Kysely<Database>;
  log: Logger;
  /** False only counts, and locks nothing. */
  isReal: boolean;
}

export interface Restored {
  /** Decisions that were there. */
  known: number;
  /** Decisions that were missing. */
  restored: number;
  changedAccounts: number;
  changedHolds: number;
  /** Ids of accounts that were missing. They are frozen: their states, limits and names are lost. */
  accounts: string[];
}

/** Thrown if the decisions contradict this database. Nothing is restored then. */
export class ContradictionError extends Error {
  override readonly name = 'ContradictionError';
}

const AT_ONCE = 500;
const NAMED = 10;

/** Safe to repeat. `steps` are encoded messages DecidedStep, in any order. The service must be stopped. */
export async function restoreDecisions(
  { db, log, isReal }: RestoreDeps,
  steps: AsyncIterable<Uint8Array>,
): Promise<Restored> {
  return db.transaction().execute(async (trx) => {
    if (isReal) await lockTables(trx);
    await createRecorded(trx);
    for await (const some of chunks(steps))
      await insertRecorded(
        trx,
        some.map((bytes) => ({ ...decodeDecidedStep(bytes), bytes })),
      );
    const { known, conflicting } = await removeKnown(trx);
    if (conflicting.length > 0)
      throw new ContradictionError(
        `${conflicting.length} payments were decided again after the loss: ${named(conflicting)}. ${RESTORE_AGAIN}`,
      );
    const books = createPastBooks(trx, isReal);
    let restored = 0;
    for (;;) {
      const oldest = (await takeOldest(trx, AT_ONCE)).map(decodeDecidedStep);
      if (oldest.length === 0) break;
      const applied = await books.apply(oldest);
      if (isReal) await insertDecisions(trx, applied);
      restored += applied.length;
      if (restored % 50_000 < AT_ONCE)
        log.info({ restored, until: oldest.at(-1)?.decidedAt }, 'restoring decisions');
    }
    return { known, restored, ...(await books.finish()) };
  });
}

const RESTORE_AGAIN =
  'Restore the database again, and keep the service stopped until this command has restored the decisions.';

/** Accounts and holds that the restored decisions change, read when they are first needed. */
function createPastBooks(trx: Transaction<Database>, isReal: boolean) {
  const accounts = new Map<string, Account>();
  const holds = new Map<string, Hold>();
  /** Those that the database has. Mandates that were lost are not known from decisions. */
  const mandates = new Map<string, Mandate>();
  const changedMandates = new Set<string>();
  const changedAccounts = new Set<string>();
  const changedHolds = new Set<string>();
  const lost: string[] = [];

  async function read(steps: readonly RecordedDecision[]): Promise<void> {
    const paymentIds = steps.map(({ request }) => request.paymentId).filter((id) => !holds.has(id));
    for (const [id, hold] of await findHolds(trx, [...new Set(paymentIds)])) holds.set(id, hold);
    const mandateIds = steps.flatMap(({ request }) => mandateOf(request, holds) ?? []);
    for (const [id, mandate] of await findMandates(
      trx,
      mandateIds.filter((each) => !mandates.has(each)),
    ))
      mandates.set(id, mandate);
    const wanted = new Set(
      steps.flatMap(({ movements }) => movements.flatMap((each) => [each.fromAccount, each.toAccount])),
    );
    for (const id of accounts.keys()) wanted.delete(id);
    for (const [id, account] of (await readAccounts(trx, wanted)).accounts) {
      accounts.set(id, account);
      wanted.delete(id);
    }
    const opened = lostAccounts(steps, wanted);
    for (const account of opened) accounts.set(account.id, account);
    lost.push(...opened.map(({ id }) => id));
    if (isReal && opened.length > 0) await openAgain(trx, opened);
  }

  function applyOne(step: RecordedDecision): DecidedStep {
    const { changed, hold, mandate, remaining } = replayed(step, { accounts, holds, mandates });
    for (const account of changed) {
      accounts.set(account.id, account);
      changedAccounts.add(account.id);
    }
    if (hold) {
      holds.set(hold.paymentId, hold);
      changedHolds.add(hold.paymentId);
    }
    if (mandate) {
      mandates.set(mandate.id, mandate);
      changedMandates.add(mandate.id);
    }
    const { request, decline, message } = step;
    const { kind, paymentId, operationId } = request;
    const answer = { decision: message, remaining };
    const fingerprint = fingerprintOf(request);
    return { kind, paymentId, operationId, fingerprint, decline, answer, basis: undefined };
  }

  return {
    async apply(steps: readonly RecordedDecision[]): Promise<DecidedStep[]> {
      await read(steps);
      return steps.map(applyOne);
    },
    async finish(): Promise<Omit<Restored, 'known' | 'restored'>> {
      const changed = [...accounts.values()].filter(({ id }) => changedAccounts.has(id));
      requireMoney(changed);
      const held = [...holds.values()].filter(({ paymentId }) => changedHolds.has(paymentId));
      const used = [...mandates.values()].filter(({ id }) => changedMandates.has(id));
      const rows = Math.max(changed.length, held.length, used.length);
      for (let start = 0; isReal && start < rows; start += AT_ONCE)
        await saveReplayed(trx, {
          accounts: changed.slice(start, start + AT_ONCE),
          holds: held.slice(start, start + AT_ONCE),
          mandates: used.slice(start, start + AT_ONCE),
        });
      return { changedAccounts: changed.length, changedHolds: held.length, accounts: lost };
    },
  };
}

/** A hold that an earlier step of the same chunk makes has the mandate of that step. */
function mandateOf(
  request: RecordedDecision['request'],
  holds: ReadonlyMap<string, Hold>,
): string | undefined {
  return request.kind === 'AUTHORIZE' ? request.mandateId : holds.get(request.paymentId)?.mandateId;
}

function replayed(step: RecordedDecision, books: Parameters<typeof replay>[1]): Replayed {
  try {
    return replay(step, books);
  } catch (error) {
    const { paymentId, operationId } = step.request;
    throw new ContradictionError(
      `The decision ${operationId} of ${paymentId} cannot be restored: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** Money that is missing was spent by decisions after the loss, which did not know of the lost ones. */
function requireMoney(accounts: readonly Account[]): void {
  const short = accounts.filter(({ isExternal, posted, held }) => !isExternal && posted < held);
  if (short.length === 0) return;
  throw new ContradictionError(
    `${short.length} accounts would be below zero: ${named(short.map(({ id }) => id))}. The service decided after the loss. ${RESTORE_AGAIN}`,
  );
}

function named(ids: readonly string[]): string {
  return ids.length > NAMED ? `${ids.slice(0, NAMED).join(', ')}, …` : ids.join(', ');
}

/** Returns accounts that were opened in the lost time, as far as their decisions name them. */
function lostAccounts(steps: readonly RecordedDecision[], missing: ReadonlySet<string>): AccountRecord[] {
  const found = new Map<string, AccountRecord>();
  for (const { request, movements, owners, decidedAt } of steps) {
    const currency = 'currency' in request ? request.currency : '';
    for (const { fromAccount, toAccount } of movements) {
      for (const [id, owner] of [[fromAccount, owners.from] as const, [toAccount, owners.to] as const]) {
        if (!missing.has(id) || found.has(id)) continue;
        found.set(id, lostAccount(id, { owner, currency, createdAt: decidedAt }));
      }
    }
  }
  return [...found.values()];
}

/** No decision has what operators wrote about the account. */
const UNKNOWN = { name: '', externalId: '', metadata: {} };

function lostAccount(
  id: string,
  { owner, currency, createdAt }: { owner: string | undefined; currency: string; createdAt: Date },
): AccountRecord {
  const external = unopenedExternal(id, createdAt);
  if (external) return { ...external, ...UNKNOWN, version: 1n };
  if (!owner || !currency)
    throw new ContradictionError(`The account ${id} is missing, and no decision names its owner.`);
  return {
    id,
    ownerId: owner,
    ...UNKNOWN,
    currency,
    isExternal: false,
    state: 'FROZEN',
    limits: NO_LIMITS,
    timeZone: 'UTC',
    posted: 0n,
    held: 0n,
    usage: NEVER_USED,
    version: 1n,
    createdAt,
    decidedAt: undefined,
  };
}

/** The actor of the audit records: no user did it. */
const RESTORE = { callerId: 'restore', clientId: undefined, traceId: '', callId: undefined };
const REASON =
  'Restored from its decisions after a loss. Its state, limits and name are lost, so it is frozen.';

async function openAgain(trx: Transaction<Database>, opened: readonly AccountRecord[]): Promise<void> {
  const owned = opened.filter(({ isExternal }) => !isExternal);
  const currencies = [...new Set(opened.map(({ currency }) => currency))];
  await insertExternalAccounts(trx, currencies, new Date());
  await insertAccounts(trx, owned);
  await freeze(
    trx,
    owned.map(({ id }) => id),
  );
  const now = new Date();
  const records = owned.map((account, index) => ({
    id: idAt('aud', now, index),
    origin: RESTORE,
    action: 'account.created' as const,
    accountId: account.id,
    reason: REASON,
    before: undefined,
    after: auditedFacts(account),
    createdAt: now,
  }));
  if (records.length > 0) await insertAuditRecords(trx, records);
}

async function* chunks(steps: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let some: Uint8Array[] = [];
  for await (const step of steps) {
    some.push(step);
    if (some.length < AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
