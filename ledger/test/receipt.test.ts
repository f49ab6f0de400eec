import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { connectGrpc, type GrpcServer, type Neighbour, newId, serveGrpc } from '@payflowx/chassis';
import {
  createTestIdentity,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import {
  Direction,
  type GetReceiptResponse,
  type JournalTransaction,
  Layer,
  LedgerServiceClient,
  type LedgerServiceService,
  type SealedHead,
} from '@payflowx/proto/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { sealBatch } from '../src/app/seal-journal.ts';
import { type Accounts, connectAccounts } from '../src/clients/accounts.ts';
import { ledgerService } from '../src/rpc/ledger-service.ts';
import { ALL_APPLIED, createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { transactionOf, transferOf } from './journal.ts';
import { startAccountService } from './neighbours.ts';

const identity = createTestIdentity();
const roles = {
  ann: 'customer',
  bob: 'customer',
  eve: 'customer',
  auditor: 'auditor',
} as const;

let ledger: LedgerDatabase;
let authorization: Awaited<ReturnType<typeof startAccountService>>;
let accounts: Accounts;
let server: GrpcServer;
let client: Neighbour<typeof LedgerServiceService>;
let folder: string;

const as = async (who: keyof typeof roles) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await identity.tokenFor({ id: `usr_${who}`, roles: [roles[who]] }),
});
const seal = () => sealBatch({ db: ledger.db, now: () => new Date() });
const noise = (count: number) =>
  recordTransactions(
    ledger,
    Array.from({ length: count }, () => transferOf(1n, {}, ['acct_x', 'acct_y'])),
  );

const paymentId = newId('pay');
const held = transactionOf(
  [{ kind: 'hold', debitAccount: 'acct_ann', creditAccount: 'acct_bob', amountMinor: 500n }],
  { paymentId, eventType: 'payment.authorized', createdAt: new Date('2026-02-01T10:00:00.000Z') },
);
const captured = transactionOf(
  [
    { kind: 'release', debitAccount: 'acct_bob', creditAccount: 'acct_ann', amountMinor: 500n },
    { kind: 'transfer', debitAccount: 'acct_ann', creditAccount: 'acct_bob', amountMinor: 450n },
  ],
  { paymentId, createdAt: new Date('2026-02-02T10:00:00.000Z') },
);

beforeAll(async () => {
  [ledger, authorization, folder] = await Promise.all([
    createLedgerDatabase(),
    startAccountService(identity),
    mkdtemp(join(tmpdir(), 'receipts-')),
  ]);
  authorization.open('acct_ann', 'usr_ann');
  authorization.open('acct_bob', 'usr_bob');
  accounts = connectAccounts({
    target: authorization.target,
    certificates: testCertificates('ledger'),
  });
  const service = ledgerService({
    proofDb: ledger.db,
    db: ledger.db,
    accounts,
    ...ALL_APPLIED,
    now: () => new Date(),
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
});

afterAll(async () => {
  client.close();
  await server.drain();
  accounts.close();
  await Promise.all([authorization.stop(), ledger.drop(), rm(folder, { recursive: true })]);
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** As in the REST API. */
const headJson = (head: SealedHead | undefined) => {
  if (!head) throw new Error('there is always a head');
  return {
    size: Number(head.size),
    root_hash: hex(head.rootHash),
    head_hash: hex(head.headHash),
    previous_head_hash: hex(head.previousHeadHash),
    sealed_at: head.sealedAt?.toISOString(),
  };
};
const transactionJson = (transaction: JournalTransaction | undefined) => ({
  id: transaction?.id,
  event_id: transaction?.eventId,
  event_type: transaction?.eventType,
  payment_id: transaction?.paymentId,
  created_at: transaction?.createdAt?.toISOString(),
  entries: transaction?.entries.map((entry) => ({
    id: entry.id,
    transaction_id: entry.transactionId,
    account_id: entry.accountId,
    direction: entry.direction === Direction.DEBIT ? 'debit' : 'credit',
    amount: Number(entry.amountMinor),
    currency: entry.currency,
    layer: entry.layer === Layer.POSTED ? 'posted' : 'pending',
    payment_id: entry.paymentId,
    created_at: entry.createdAt?.toISOString(),
  })),
});
const receiptJson = (receipt: GetReceiptResponse) => ({
  payment_id: receipt.paymentId,
  head: headJson(receipt.head),
  transactions: receipt.transactions.map(({ transaction, canonical, position, path }) => ({
    transaction: transactionJson(transaction),
    canonical: hex(canonical),
    position: Number(position),
    path: path.map(hex),
  })),
});
type ReceiptJson = ReturnType<typeof receiptJson>;

/** Runs the command as an outsider would: no server's address in its environment, no package in reach. */
async function verify(receipt: unknown, head: unknown): Promise<{ code: number | null; said: string }> {
  await writeFile(join(folder, 'receipt.json'), JSON.stringify(receipt));
  await writeFile(join(folder, 'head.json'), JSON.stringify(head));
  const script = fileURLToPath(import.meta.resolve('@payflowx/receipt/command'));
  const named = typeof head === 'string' ? head : 'head.json';
  const run = spawnSync(process.execPath, [script, 'receipt.json', named], { cwd: folder, env: {} });
  return { code: run.status, said: `${run.stdout}${run.stderr}` };
}

describe('before anything is sealed', () => {
  it('there is no head and no receipt', async () => {
    await expect(client.getSealedHead({}, await as('ann'))).rejects.toMatchObject({
      code: status.NOT_FOUND,
      reason: 'NOTHING_SEALED',
    });
    await recordTransactions(ledger, [held]);
    await expect(client.getReceipt({ paymentId }, await as('ann'))).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'NOT_SEALED_YET',
      retryAfterMs: 1_000,
    });
  });
});

describe('a receipt', () => {
  let earlier: SealedHead | undefined;
  let receipt: ReceiptJson;

  beforeAll(async () => {
    await noise(5);
    await seal();
    earlier = (await client.getSealedHead({}, await as('ann'))).head;
    await recordTransactions(ledger, [captured]);
    await noise(7);
    await seal();
    receipt = receiptJson(await client.getReceipt({ paymentId }, await as('ann')));
  });

  it('is shown to the owners of both accounts and to auditors only', async () => {
    for (const who of ['ann', 'bob', 'auditor'] as const) {
      expect((await client.getReceipt({ paymentId }, await as(who))).transactions).toHaveLength(2);
    }
    const missing = { code: status.NOT_FOUND, reason: 'PAYMENT_NOT_FOUND' };
    await expect(client.getReceipt({ paymentId }, await as('eve'))).rejects.toMatchObject(missing);
    await expect(client.getReceipt({ paymentId: newId('pay') }, await as('auditor'))).rejects.toMatchObject(
      missing,
    );
  });

  it('is verified offline, and is printed from the sealed bytes', async () => {
    const { code, said } = await verify(receipt, receipt.head);
    expect(said).toContain(`hold of 500 EUR minor units: acct_ann -> acct_bob (pending)`);
    expect(said).toContain('acct_bob: posted +450, pending 0 EUR minor units');
    expect(said).toMatch(/^VERIFIED: the journal of 14 transactions/m);
    expect(code).toBe(0);
    expect((await verify(receipt, receipt.head.head_hash)).code).toBe(0);
  });

  it('can be made against an older head, and then holds the transactions sealed until then', async () => {
    const old = receiptJson(await client.getReceipt({ paymentId, headSize: earlier?.size }, await as('ann')));
    expect(old.transactions).toHaveLength(1);
    expect((await verify(old, headJson(earlier))).said).toMatch(/VERIFIED: the journal of 6 transactions/);
    const { code, said } = await verify(receipt, headJson(earlier));
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/REFUSED: It was made against another head: of size 14, not 6/),
    ]);
    await expect(client.getReceipt({ paymentId, headSize: 7n }, await as('ann'))).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });

  it('is refused by the command if a byte of it was changed, or if only a root is given', async () => {
    const forged = structuredClone(receipt);
    const [item] = forged.transactions;
    // The last byte of the amount stands before the currency: 00000003 "EUR".
    if (item) item.canonical = item.canonical.replace(/(..)0000000345/, 'ff0000000345');
    expect(await verify(forged, receipt.head)).toEqual({
      code: 1,
      said: expect.stringMatching(/^REFUSED: transactions\[0\].*do not lead to the head's root/),
    });
    expect(await verify(receipt, receipt.head.root_hash)).toEqual({
      code: 1,
      said: expect.stringMatching(/^REFUSED: A root_hash alone does not prove the size/),
    });
    expect((await verify({}, receipt.head)).said).toMatch(/REFUSED: payment_id is missing/);
    expect((await verify([], receipt.head)).code).toBe(1);
  });
});
