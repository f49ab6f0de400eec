/**
 * Prepares users and accounts for a run. Reuses those of earlier runs, opens missing ones in bulk, and tops up low balances from
 * the treasury. Uses only the platform's own interfaces.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { CaptureMode } from '@payflowx/proto/authorization';
import { PaymentState } from '@payflowx/proto/payment';
import { say, sayProgress } from '../progress.ts';
import { type AccountBook, bookPath, KINDS, type Kind, readBook, writeBook } from './account-book.ts';
import type { Checkout } from './checkout.ts';
import { expectStatus, type Rest } from './rest.ts';
import type { BulkCalls } from './rpc.ts';
import type { Session } from './session.ts';

export const CURRENCY = 'EUR';
/** The limit per payment; larger payments are declined. */
export const PER_PAYMENT_LIMIT = 5_000_000;
/** Target balances by kind of account, used when less than a fifth is left. Deposits fund the treasury. */
const FUNDS: Record<Kind, number> = { accounts: 1_000_000, hot: 5_000_000, probes: 1_000_000, treasury: 0 };
const LOW = 0.2;
/** The balance of the hot payer must last for a whole run: this many payments of the amount above. */
const HOT_TIMES = 40;
const BATCH = 500;

export interface PrepareDeps {
  checkout: Checkout;
  rest: Rest;
  calls: BulkCalls;
  operator: Session;
}

export async function prepareAccounts(
  deps: PrepareDeps,
  wanted: { accounts: number; users: number },
): Promise<AccountBook> {
  const path = bookPath(deps.checkout);
  const book = readBook(path);
  const balances = await readBalances(deps.calls);
  for (const kind of KINDS) book[kind] = book[kind].filter(({ id }) => balances.has(id));

  await addUsers(deps, book, wanted.users);
  writeBook(path, book);
  const counts: Record<Kind, number> = { accounts: wanted.accounts, hot: 1, probes: 24, treasury: 1 };
  for (const kind of KINDS) {
    await openMissing(deps, book, kind, counts[kind]);
    writeBook(path, book);
  }
  await fund(deps, book, wanted.accounts, balances);
  return { ...book, accounts: book.accounts.slice(0, wanted.accounts) };
}

/** Balances of all accounts, by id. */
async function readBalances(calls: BulkCalls): Promise<Map<string, number>> {
  const balances = new Map<string, number>();
  let pageToken = '';
  do {
    const page = await calls.listBalances(pageToken);
    for (const { accountId, postedMinor } of page.balances) balances.set(accountId, Number(postedMinor));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return balances;
}

async function addUsers({ rest, operator }: PrepareDeps, book: AccountBook, count: number): Promise<void> {
  if (book.users.length < count) say(`creating ${count - book.users.length} users`);
  while (book.users.length < count) {
    const username = `bench-${book.series}-${book.users.length}`;
    const password = randomBytes(18).toString('base64url');
    const body = { username, password, roles: ['customer'] };
    const user = expectStatus(
      await rest.post('/v1/users', body, { authorization: operator.authorization() }),
      201,
    );
    book.users.push({ id: user.id, username, password });
  }
}

async function openMissing(
  { calls }: PrepareDeps,
  book: AccountBook,
  kind: Kind,
  count: number,
): Promise<void> {
  const missing = count - book[kind].length;
  if (missing > BATCH) say(`opening ${missing} accounts, ${BATCH} in a call`);
  while (book[kind].length < count) {
    const first = book[kind].length;
    const length = Math.min(BATCH, count - first);
    const owners = Array.from({ length }, (_, index) => (first + index) % book.users.length);
    const items = owners.map((owner, index) => ({
      // Random at the end. After an interrupted run, opening an account twice is better than not at all.
      requestId: `bench-${book.series}-${kind}-${first + index}-${randomUUID()}`,
      ownerId: book.users[owner]?.id ?? '',
      currency: CURRENCY,
      name: `bench ${kind} ${first + index}`,
      limits: kind === 'treasury' ? undefined : { perPaymentMinor: BigInt(PER_PAYMENT_LIMIT) },
      timeZone: '',
    }));
    const { results } = await calls.openAccounts(items);
    results.forEach(({ result }, index) => {
      if (result?.$case !== 'account') throw new Error(`no account was opened: ${result?.value.message}`);
      book[kind].push({ id: result.value.id, owner: owners[index] ?? 0 });
    });
    sayProgress(`${book[kind].length} of ${count}`);
  }
}

/** Tops up all low balances from the treasury, after a deposit that covers them. */
async function fund(
  deps: PrepareDeps,
  book: AccountBook,
  count: number,
  balances: ReadonlyMap<string, number>,
): Promise<void> {
  const inUse = { ...book, accounts: book.accounts.slice(0, count) };
  const grants = KINDS.flatMap((kind) =>
    inUse[kind].flatMap(({ id }) => {
      const times = kind === 'hot' ? HOT_TIMES : 1;
      if ((balances.get(id) ?? 0) >= FUNDS[kind] * times * LOW) return [];
      return Array.from({ length: times }, () => ({ id, amount: FUNDS[kind] })).filter(
        ({ amount }) => amount > 0,
      );
    }),
  );
  const [treasury] = book.treasury;
  if (grants.length === 0 || !treasury) return;
  const needed = grants.reduce((sum, { amount }) => sum + amount, 0);
  const deposit = { account_id: treasury.id, amount: needed, currency: CURRENCY, reference: 'bench' };
  const options = { authorization: deps.operator.authorization(), key: randomUUID() };
  expectStatus(await deps.rest.post('/v1/deposits', deposit, options), 201);

  if (grants.length > BATCH) say(`funding: ${grants.length} payments, ${BATCH} at a time`);
  for (let first = 0; first < grants.length; first += BATCH) {
    const batch = grants.slice(first, first + BATCH);
    await payAll(deps, treasury.id, batch);
    sayProgress(`${first + batch.length} of ${grants.length}`);
  }
}

/** The payment service gathers the concurrent payments into batches. */
async function payAll(
  { calls }: PrepareDeps,
  fromAccount: string,
  grants: readonly { id: string; amount: number }[],
): Promise<void> {
  const payments = grants.map(({ id, amount }) =>
    calls.pay({
      requestId: randomUUID(),
      fromAccount,
      toAccount: id,
      amountMinor: BigInt(amount),
      currency: CURRENCY,
      captureMode: CaptureMode.AUTOMATIC,
      description: '',
      reference: 'bench',
      metadata: {},
      holdSeconds: 0,
      mandateId: '',
      captureBy: 0,
    }),
  );
  for (const { payment } of await Promise.all(payments)) {
    // The platform recovers an undecided payment within seconds.
    if (payment?.state === PaymentState.FAILED)
      throw new Error(`funding was declined: ${payment.failure?.message}`);
  }
}
