import { status } from '@grpc/grpc-js';
import { connectGrpc, type GrpcServer, type Neighbour, newId, serveGrpc } from '@payflowx/chassis';
import {
  attackedList,
  createTestIdentity,
  expectTokensToBeBound,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import {
  Direction,
  type GetStatementRequest,
  Layer,
  LedgerServiceClient,
  LedgerServiceService,
  type ListEntriesRequest,
  ProofVerdict,
} from '@payflowx/proto/ledger';
import type { PaymentEvent } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepLastProof } from '../src/app/get-last-proof.ts';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { sealBatch } from '../src/app/seal-journal.ts';
import { type Accounts, connectAccounts } from '../src/clients/accounts.ts';
import { decodePaymentEvent } from '../src/consumers/payment-events.ts';
import { ledgerService } from '../src/rpc/ledger-service.ts';
import {
  ALL_APPLIED,
  asSuperuser,
  compareAll,
  createLedgerDatabase,
  type LedgerDatabase,
} from './fixture.ts';
import { encode, hold, paymentEvent, startAccountService, transfer } from './neighbours.ts';

const identity = createTestIdentity();
const roles = {
  ann: 'customer',
  bob: 'customer',
  eve: 'customer',
  auditor: 'auditor',
} as const;
const NOW = new Date('2026-05-01T12:00:00.000Z');

let ledger: LedgerDatabase;
let authorization: Awaited<ReturnType<typeof startAccountService>>;
let accounts: Accounts;
let server: GrpcServer;
let client: Neighbour<typeof LedgerServiceService>;
let lag = async () => 0n;

/** The call settings of one of the test's users. */
const as = async (who: keyof typeof roles) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await identity.tokenFor({ id: `usr_${who}`, roles: [roles[who]] }),
});

const everything: ListEntriesRequest = {
  pageSize: 0,
  pageToken: '',
  accountId: '',
  paymentId: '',
  layer: Layer.UNSPECIFIED,
  direction: Direction.UNSPECIFIED,
  currency: '',
  createdAfter: undefined,
  createdBefore: undefined,
};

const record = (events: PaymentEvent[]) =>
  recordTransactions(
    ledger,
    events.flatMap((event) => decodePaymentEvent(encode(event)) ?? []),
  );

const deposit = paymentEvent([transfer('external:EUR', 'acct_ann', 500n)], {
  occurredAt: new Date('2026-01-01T00:00:00.000Z'),
});
const payment = paymentEvent([transfer('acct_ann', 'acct_bob', 120n)], {
  occurredAt: new Date('2026-02-01T00:00:00.000Z'),
});
const held = paymentEvent([hold('acct_ann', 'acct_bob', 30n)], {
  occurredAt: new Date('2026-03-01T00:00:00.000Z'),
});

const agreed = [
  { accountId: 'acct_ann', currency: 'EUR', postedMinor: 380n, heldMinor: 30n },
  { accountId: 'acct_bob', currency: 'EUR', postedMinor: 120n, heldMinor: 0n },
  { accountId: 'acct_new', currency: 'EUR', postedMinor: 0n, heldMinor: 0n },
  { accountId: 'external:EUR', currency: 'EUR', postedMinor: -500n, heldMinor: 0n },
];

beforeAll(async () => {
  [ledger, authorization] = await Promise.all([createLedgerDatabase(), startAccountService(identity)]);
  authorization.open('acct_ann', 'usr_ann');
  authorization.open('acct_new', 'usr_ann');
  authorization.open('acct_bob', 'usr_bob');
  accounts = connectAccounts({
    target: authorization.target,
    certificates: testCertificates('ledger'),
  });
  const service = ledgerService({
    db: ledger.db,
    proofDb: ledger.db,
    accounts,
    ...ALL_APPLIED,
    eventLag: () => lag(),
    now: () => NOW,
  });
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    pageTokenKey: testPageTokenKey,
    certificates: testCertificates('ledger'),
    verifier: identity.verifier,
    log: testLog,
  };
  server = await serveGrpc(settings, [service]);
  client = connectGrpc(LedgerServiceClient, {
    target: `ipv4:127.0.0.1:${server.port}`,
    certificates: testCertificates(),
  });
  await record([deposit, payment, held]);
});

afterAll(async () => {
  client.close();
  await server.drain();
  accounts.close();
  await authorization.stop();
  await ledger.drop();
});

describe('listing entries', () => {
  it('shows a customer only the entries of its own accounts, newest first', async () => {
    const { entries } = await client.listEntries(everything, await as('ann'));
    expect(
      entries.map(({ accountId, direction, amountMinor, layer }) => [
        accountId,
        direction,
        amountMinor,
        layer,
      ]),
    ).toEqual([
      ['acct_ann', Direction.DEBIT, 30n, Layer.PENDING],
      ['acct_ann', Direction.DEBIT, 120n, Layer.POSTED],
      ['acct_ann', Direction.CREDIT, 500n, Layer.POSTED],
    ]);
    expect((await client.listEntries(everything, await as('eve'))).entries).toEqual([]);
  });

  it('shows an auditor both sides of all entries', async () => {
    const { entries } = await client.listEntries(everything, await as('auditor'));
    expect(entries).toHaveLength(6);
    const of = async (filter: object) =>
      (await client.listEntries({ ...everything, ...filter }, await as('auditor'))).entries.map(
        ({ id }) => id,
      );
    const uuid = payment.id.replace('evt_', '');
    expect(await of({ paymentId: payment.payment?.id })).toEqual([
      `txn_${uuid}:0:debit`,
      `txn_${uuid}:0:credit`,
    ]);
    expect(await of({ layer: Layer.PENDING })).toHaveLength(2);
    expect(await of({ accountId: 'external:EUR' })).toHaveLength(1);
  });

  it('shows the entries that pass all given filters', async () => {
    const of = async (filter: Partial<ListEntriesRequest>) =>
      (await client.listEntries({ ...everything, ...filter }, await as('auditor'))).entries.map(
        ({ accountId, amountMinor }) => [accountId, amountMinor],
      );
    expect(await of({ direction: Direction.CREDIT, layer: Layer.POSTED })).toEqual([
      ['acct_bob', 120n],
      ['acct_ann', 500n],
    ]);
    expect(await of({ accountId: 'acct_ann', direction: Direction.DEBIT, currency: 'EUR' })).toHaveLength(2);
    expect(await of({ currency: 'USD' })).toEqual([]);
    const february = {
      createdAfter: new Date('2026-02-01T00:00:00.000Z'),
      createdBefore: new Date('2026-03-01T00:00:00.000Z'),
    };
    expect(await of({ ...february, direction: Direction.DEBIT })).toEqual([['acct_ann', 120n]]);
    expect(await of({ ...february, accountId: 'acct_bob' })).toEqual([['acct_bob', 120n]]);
    await expect(of({ currency: 'eur' })).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    await expect(of({ direction: 7 as Direction })).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('says that an account does not exist, both for a missing one and for one of another customer', async () => {
    for (const accountId of ['acct_bob', 'acct_none', 'external:EUR']) {
      const listing = client.listEntries({ ...everything, accountId }, await as('ann'));
      await expect(listing).rejects.toMatchObject({ code: status.NOT_FOUND, reason: 'ACCOUNT_NOT_FOUND' });
    }
  });

  it('repeats and skips nothing while entries are added between pages', async () => {
    const first = (await client.listEntries({ ...everything, pageSize: 100 }, await as('auditor'))).entries;
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await client.listEntries({ ...everything, pageSize: 1, pageToken }, await as('auditor'));
      seen.push(...page.entries.map(({ id }) => id));
      pageToken = page.nextPageToken;
      await record([
        paymentEvent([transfer('acct_ann', 'acct_bob', 1n), transfer('acct_bob', 'acct_ann', 1n)]),
      ]);
    } while (pageToken !== '');
    expect(seen).toEqual(first.map(({ id }) => id));
  });
});

describe('reading a transaction', () => {
  const request = { transactionId: payment.id.replace('evt_', 'txn_') };

  it('shows the whole transaction to the owner of either account', async () => {
    const { transaction } = await client.getTransaction(request, await as('bob'));
    expect(transaction).toMatchObject({
      eventId: payment.id,
      eventType: 'payment.completed',
      createdAt: payment.occurredAt,
      entries: [
        { accountId: 'acct_ann', direction: Direction.DEBIT },
        { accountId: 'acct_bob', direction: Direction.CREDIT },
      ],
    });
  });

  it('hides it from other customers', async () => {
    const missing = { code: status.NOT_FOUND, reason: 'TRANSACTION_NOT_FOUND' };
    await expect(client.getTransaction(request, await as('eve'))).rejects.toMatchObject(missing);
    const unknown = client.getTransaction({ transactionId: newId('txn') }, await as('auditor'));
    await expect(unknown).rejects.toMatchObject(missing);
  });
});

describe('reading a balance', () => {
  const balanceOf = async (accountId: string, at?: string) => {
    const request = { accountId, at: at === undefined ? undefined : new Date(at) };
    return client.getAccountBalance(request, await as('ann'));
  };

  it('returns the current posted and pending balances', async () => {
    expect(await balanceOf('acct_ann')).toEqual({ postedMinor: 380n, pendingMinor: -30n, at: NOW });
  });

  it('sums the entries up to and including a moment', async () => {
    expect(await balanceOf('acct_ann', '2025-12-31T23:59:59.999Z')).toMatchObject({
      postedMinor: 0n,
      pendingMinor: 0n,
    });
    expect(await balanceOf('acct_ann', '2026-01-01T00:00:00.000Z')).toMatchObject({ postedMinor: 500n });
    expect(await balanceOf('acct_ann', '2026-02-15T00:00:00.000Z')).toMatchObject({
      postedMinor: 380n,
      pendingMinor: 0n,
    });
    expect(await balanceOf('acct_ann', '2026-12-31T00:00:00.000Z')).toMatchObject({
      postedMinor: 380n,
      pendingMinor: -30n,
    });
  });

  it('is 0 for an account without postings', async () => {
    expect(await balanceOf('acct_new')).toMatchObject({ postedMinor: 0n, pendingMinor: 0n });
  });

  it('is not found for another customer', async () => {
    await expect(balanceOf('acct_bob')).rejects.toMatchObject({ reason: 'ACCOUNT_NOT_FOUND' });
  });
});

describe('reading a statement', () => {
  const request: GetStatementRequest = {
    accountId: 'acct_ann',
    from: new Date('2026-01-01T00:00:00.001Z'),
    to: new Date('2026-04-01T00:00:00.000Z'),
    pageSize: 0,
    pageToken: '',
  };

  it('shows its owner the entries between the balance before and the balance after', async () => {
    const statement = await client.getStatement(request, await as('ann'));
    expect(statement).toMatchObject({
      openingMinor: 500n,
      closingMinor: 380n,
      currency: 'EUR',
      from: request.from,
      to: request.to,
      lines: [{ entry: { amountMinor: 120n, direction: Direction.DEBIT }, balanceMinor: 380n }],
      nextPageToken: '',
    });
  });

  it('is not found for another customer', async () => {
    for (const who of ['bob', 'eve'] as const) {
      await expect(client.getStatement(request, await as(who))).rejects.toMatchObject({
        code: status.NOT_FOUND,
        reason: 'ACCOUNT_NOT_FOUND',
      });
    }
  });
});

it('accepts a page token only for its own list, caller and filters', async () => {
  // More entries of Ann's, so that her statement has a second page.
  const both = [transfer('external:EUR', 'acct_ann', 1n), transfer('acct_ann', 'external:EUR', 1n)];
  await record([paymentEvent(both, { occurredAt: new Date('2026-04-01T00:00:00Z') })]);
  const period = { from: new Date('2026-01-01T00:00:00Z'), to: undefined };
  const { pageSize: _, pageToken: __, ...anyEntry } = everything;
  await expectTokensToBeBound([LedgerServiceService], {
    listEntries: attackedList({
      call: client.listEntries,
      filters: anyEntry,
      as: await as('ann'),
      otherCallers: [await as('bob'), await as('auditor')],
      otherFilters: [
        { accountId: 'acct_ann' },
        { paymentId: 'pay_other' },
        { layer: Layer.POSTED },
        { direction: Direction.DEBIT },
        { currency: 'EUR' },
        { createdAfter: period.from },
        { createdBefore: NOW },
      ],
    }),
    getStatement: attackedList({
      call: client.getStatement,
      filters: { accountId: 'acct_ann', ...period },
      as: await as('ann'),
      otherCallers: [await as('eve'), await as('auditor')],
      otherFilters: [{ accountId: 'acct_bob' }, { from: undefined }, { from: NOW }, { to: NOW }],
    }),
  });
});

const SUMMARY = { differenceCount: 0n, accountCount: 4n, transactionCount: 3n };

describe('the proof', () => {
  it('is not known before the first one', async () => {
    expect(await client.getLastProof({}, await as('auditor'))).toEqual({ proof: undefined });
  });

  it('holds if journal, stored balances and authorization agree', async () => {
    authorization.setBalances(agreed);
    const proof = await client.getProof({}, await as('auditor'));
    expect(proof).toMatchObject({
      holds: true,
      verdict: ProofVerdict.HOLDS,
      differences: [],
      differenceCount: 0n,
      staleBalanceCount: 0n,
      openHoldCount: 1n,
      eventLag: 0n,
      accountCount: 4n,
      provedAt: NOW,
    });
    // Three transactions have one posting, the others have two.
    expect(proof.entryCount).toBe(6n + 4n * (proof.transactionCount - 3n));
    expect(proof.trialBalances[0]).toEqual({
      currency: 'EUR',
      postedSumMinor: 0n,
      pendingSumMinor: 0n,
      accountCount: 3n,
    });
  });

  it('names the account that differs by one, and the lag of the ledger', async () => {
    const [ann, ...others] = agreed;
    if (!ann) throw new Error('ann comes first');
    authorization.setBalances([{ ...ann, postedMinor: 379n, heldMinor: 31n }, ...others]);
    lag = async () => 2n;
    expect(await client.getProof({}, await as('auditor'))).toMatchObject({
      holds: false,
      verdict: ProofVerdict.BROKEN,
      differenceCount: 1n,
      eventLag: 2n,
      differences: [
        {
          accountId: 'acct_ann',
          settled: true,
          ledgerPostedMinor: 380n,
          authorizationPostedMinor: 379n,
          ledgerHeldMinor: 30n,
          authorizationHeldMinor: 31n,
        },
      ],
    });
  });

  it('fails if a stored balance differs from the journal', async () => {
    authorization.setBalances(agreed);
    const shift = (by: number) =>
      sql`update balances set posted_minor = posted_minor + ${by}::int8 where account_id = 'acct_bob'`.execute(
        ledger.db,
      );
    await shift(1);
    const proof = await client.getProof({}, await as('auditor'));
    await shift(-1);
    expect(proof).toMatchObject({
      ...{ holds: false, verdict: ProofVerdict.BROKEN },
      ...{ staleBalanceCount: 1n, differenceCount: 0n },
    });
  });

  it('fails if a stored total of an hour differs from the journal', async () => {
    authorization.setBalances(agreed);
    while (await sealBatch({ db: ledger.db, now: () => NOW }));
    const shift = (by: number) =>
      sql`update hourly_totals set posted_minor = posted_minor + ${by}::int8
          where account_id = 'acct_bob' and hour = '2026-02-01T00:00:00Z'`.execute(ledger.db);
    await shift(1);
    expect(await client.getProof({}, await as('auditor'))).toMatchObject({ staleBalanceCount: 1n });
    await shift(-1);
    expect(await client.getProof({}, await as('auditor'))).toMatchObject({ holds: true });
  });

  it('fails if the journal differs from the seal, and names the first broken transaction', async () => {
    authorization.setBalances(agreed);
    await record([payment]);
    while (await sealBatch({ db: ledger.db, now: () => NOW }));
    const id = payment.id.replace('evt_', 'txn_');
    const rename = (to: string) =>
      asSuperuser(ledger, `update transactions set event_type = '${to}' where id = '${id}'`);
    await rename('payment.refunded');
    expect(await client.getProof({}, await as('auditor'))).toMatchObject({
      holds: false,
      firstBrokenTransactionId: id,
      unsealedCount: 0n,
      differenceCount: 0n,
    });
    await rename('payment.completed');
    const { holds, head, transactionCount } = await client.getProof({}, await as('auditor'));
    expect([holds, head?.size]).toEqual([true, transactionCount]);
  });

  it('runs once for all callers that wait: thirty at once are two proofs', async () => {
    authorization.setBalances(agreed);
    let proofCount = 0;
    lag = async () => {
      proofCount += 1;
      return 0n;
    };
    const auditor = await as('auditor');
    const proofs = await Promise.all(Array.from({ length: 30 }, () => client.getProof({}, auditor)));
    expect(proofs.map(({ holds }) => holds)).toEqual(Array(30).fill(true));
    expect(proofCount).toBe(2);
  });

  it('compares more accounts than a batch, and those that only authorization knows', async () => {
    const unknown = Array.from({ length: 5_001 }, (_, index) => ({
      accountId: `acct_new_${index}`,
      currency: 'EUR',
      postedMinor: index === 5_000 ? 1n : 0n,
      heldMinor: 0n,
    }));
    const compared = await compareAll(ledger, [...agreed, ...unknown]);
    expect(compared).toHaveLength(agreed.length + unknown.length);
    expect(compared.find(({ authorized }) => authorized.postedMinor === 1n)).toMatchObject({
      folded: { accountId: 'acct_new_5000', postedMinor: 0n },
      isInLedger: false,
    });
    // The next proof on the same connection does not see them.
    authorization.setBalances(agreed);
    expect(await client.getProof({}, await as('auditor'))).toMatchObject({ holds: true, accountCount: 4n });
  });

  it('also works without Kafka, with an unknown lag', async () => {
    lag = () => Promise.reject(new Error('no broker'));
    expect(await client.getProof({}, await as('auditor'))).toMatchObject({ holds: true, eventLag: -1n });
  });

  it('leaves its result for all instances, and an older one does not replace it', async () => {
    await keepLastProof(ledger.db, { ...SUMMARY, verdict: 'broken', provedAt: new Date(NOW.getTime() - 1) });
    expect(await client.getLastProof({}, await as('auditor'))).toMatchObject({
      proof: { verdict: ProofVerdict.HOLDS, accountCount: 4n, differenceCount: 0n, provedAt: NOW },
    });
    await keepLastProof(ledger.db, { ...SUMMARY, verdict: 'unsettled', provedAt: NOW });
    expect(await client.getLastProof({}, await as('auditor'))).toMatchObject({
      proof: { verdict: ProofVerdict.UNSETTLED },
    });
  });

  it('refuses customers', async () => {
    await expect(client.getLastProof({}, await as('ann'))).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
    await expect(client.getProof({}, await as('ann'))).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
  });
});

it('reports an authorization outage if it needs authorization, and still serves operators and auditors', async () => {
  const unreachableAccounts = connectAccounts({
    target: 'ipv4:127.0.0.1:1',
    certificates: testCertificates('ledger'),
  });
  const service = ledgerService({
    db: ledger.db,
    proofDb: ledger.db,
    accounts: unreachableAccounts,
    ...ALL_APPLIED,
    eventLag: () => lag(),
    now: () => NOW,
  });
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    pageTokenKey: testPageTokenKey,
    certificates: testCertificates('ledger'),
    verifier: identity.verifier,
    log: testLog,
  };
  const alone = await serveGrpc(settings, [service]);
  const lonely = connectGrpc(LedgerServiceClient, {
    target: `ipv4:127.0.0.1:${alone.port}`,
    certificates: testCertificates(),
  });

  const unavailable = { code: status.UNAVAILABLE, reason: 'AUTHORIZATION_UNAVAILABLE' };
  await expect(lonely.listEntries(everything, await as('ann'))).rejects.toMatchObject(unavailable);
  await expect(lonely.getProof({}, await as('auditor'))).rejects.toMatchObject(unavailable);
  const request = { accountId: 'acct_ann', at: undefined };
  expect(await lonely.getAccountBalance(request, await as('auditor'))).toMatchObject({ postedMinor: 380n });

  lonely.close();
  await alone.drain();
  unreachableAccounts.close();
});
