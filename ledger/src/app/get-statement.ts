/**
 * An account's statement for a period: its entries of the posted layer, with the balance before and after them. The period is
 * compared with the time of the events.
 *
 * All pages show the snapshot of the first page. Entries recorded later are on none of them, whatever their time, so opening, lines
 * and closing always add up.
 */
import { cutPage, decodePageToken, pageSizeOf } from '@payflowx/chassis';
import { type Static, Type } from 'typebox';
import { LedgerError } from '../domain/errors.ts';
import type { Entry } from '../domain/journal.ts';
import { findCurrency } from '../store/balances.ts';
import { currentSnapshot, findFirstEntryTime, listStatementEntries } from '../store/entries.ts';
import { sumBefore } from '../store/hourly-totals.ts';
import { packSnapshot, unpackSnapshot } from '../store/packed-snapshot.ts';
import { atOneMoment } from '../store/snapshot.ts';
import { type AccessDeps, requireVisible, type VerifiedCall } from './account-access.ts';

export interface StatementQuery {
  accountId: string;
  /** Undefined means the account's first entry. */
  from: Date | undefined;
  /** Undefined means now. */
  to: Date | undefined;
  pageSize: number;
  /** Empty for the first page. */
  pageToken: string;
}

export interface Statement {
  openingMinor: bigint;
  closingMinor: bigint;
  /** Empty if the account has no entries. */
  currency: string;
  from: Date;
  to: Date;
  lines: { entry: Entry; balanceMinor: bigint }[];
  nextPageToken: string;
}

/** Minor units: 64 bits, more than a number of JSON holds. */
const Amount = Type.String();

/**
 * The content of a page token: the results of the first page, and the last line of the page before. The server authenticates it. So the
 * figures are the ones that the first page computed for this account and period.
 */
const Progress = Type.Object({
  fromMs: Type.Integer(),
  toMs: Type.Integer(),
  currency: Type.String(),
  opening: Amount,
  closing: Amount,
  /** The database snapshot of the first page, packed. */
  seenBy: Type.String(),
  after: Type.Union([
    Type.Null(),
    Type.Object({
      createdAtMs: Type.Integer(),
      transactionId: Type.String(),
      number: Type.Integer(),
      balance: Amount,
    }),
  ]),
});
type Progress = Static<typeof Progress>;

/** Throws ACCOUNT_NOT_FOUND, and INVALID_ARGUMENT if the period ends before it begins. */
export async function getStatement(
  deps: AccessDeps & { now: () => Date },
  call: VerifiedCall,
  query: StatementQuery,
): Promise<Statement> {
  const limit = pageSizeOf(query.pageSize);
  const progress = decodePageToken(query.pageToken, Progress);
  await requireVisible(deps, call, query.accountId);
  return atOneMoment(deps.db, async (snapshot) => {
    const current = progress ?? (await begin(snapshot, query, deps.now()));
    const found = await listStatementEntries(snapshot, filterOf(query.accountId, current), limit + 1);
    return toStatement(current, found, limit);
  });
}

async function begin(
  snapshot: AccessDeps['db'],
  { accountId, from: requestedFrom, to: requestedTo }: StatementQuery,
  now: Date,
): Promise<Progress> {
  const to = requestedTo ?? now;
  const from = requestedFrom ?? earlier((await findFirstEntryTime(snapshot, accountId)) ?? to, to);
  if (from > to) {
    throw new LedgerError('INVALID_ARGUMENT', 'The period ends before it begins.', {
      violations: [{ field: 'from', description: 'must not be later than to' }],
    });
  }
  const opening = await sumBefore(snapshot, accountId, from);
  const closing = await sumBefore(snapshot, accountId, to);
  return {
    fromMs: from.getTime(),
    toMs: to.getTime(),
    currency: (await findCurrency(snapshot, accountId)) ?? '',
    opening: `${opening.postedMinor}`,
    closing: `${closing.postedMinor}`,
    seenBy: packSnapshot(await currentSnapshot(snapshot)),
    after: null,
  };
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function filterOf(accountId: string, { fromMs, toMs, seenBy, after }: Progress) {
  return {
    accountId,
    from: new Date(fromMs),
    to: new Date(toMs),
    // The first page needs no filter: it runs in that snapshot.
    seenBy: after ? unpackSnapshot(seenBy) : undefined,
    after: after ? { ...after, createdAt: new Date(after.createdAtMs) } : undefined,
  };
}

/** `found` has one entry more than the page if there is a next page. */
function toStatement(progress: Progress, found: Entry[], limit: number): Statement {
  let balanceMinor = BigInt(progress.after?.balance ?? progress.opening);
  const lines = found.map((entry) => {
    balanceMinor += entry.direction === 'credit' ? entry.amountMinor : -entry.amountMinor;
    return { entry, balanceMinor };
  });
  const page = cutPage(lines, limit, (last) => ({ ...progress, after: toPosition(last) }));
  return {
    openingMinor: BigInt(progress.opening),
    closingMinor: BigInt(progress.closing),
    currency: progress.currency,
    from: new Date(progress.fromMs),
    to: new Date(progress.toMs),
    lines: page.rows,
    nextPageToken: page.nextPageToken,
  };
}

function toPosition({ entry, balanceMinor }: Statement['lines'][number]): Progress['after'] {
  return {
    createdAtMs: entry.createdAt.getTime(),
    transactionId: entry.transactionId,
    number: entry.number,
    balance: `${balanceMinor}`,
  };
}
