import { serveGrpc } from '@payflowx/chassis';
import {
  callWithHostileRequests,
  createTestIdentity,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectAccounts } from '../src/clients/accounts.ts';
import { startReconciliation } from '../src/reconciliation/start.ts';
import { ledgerService } from '../src/rpc/ledger-service.ts';
import { ALL_APPLIED, createLedgerDatabase } from './fixture.ts';
import { startAccountService } from './neighbours.ts';
import { startNeighbours } from './reconciliation-neighbours.ts';

const identity = createTestIdentity();
const certificates = testCertificates('ledger');
const stopping: (() => unknown)[] = [];
let target: string;

beforeAll(async () => {
  const ledger = await createLedgerDatabase();
  const [authorization, neighbours] = await Promise.all([
    startAccountService(identity),
    startNeighbours(identity),
  ]);
  authorization.open('acct_ann', 'usr_ann');
  const accounts = connectAccounts({ target: authorization.target, certificates });
  const { db } = ledger;
  const now = () => new Date();
  const service = ledgerService({ db, proofDb: db, accounts, ...ALL_APPLIED, now });
  const { targets } = neighbours;
  const config = { postgresUrl: ledger.url, targets, everyMs: 0, settings: { gapMs: 10, rereadings: 0 } };
  const reconciliation = startReconciliation(config, certificates, testLog);
  const { verifier } = identity;
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates,
    verifier,
    pageTokenKey: testPageTokenKey,
    log: testLog,
  };
  const server = await serveGrpc(settings, [service, reconciliation.service]);
  target = `127.0.0.1:${server.port}`;
  stopping.push(
    () => server.drain(),
    () => reconciliation.stop(),
    () => accounts.close(),
    () => authorization.stop(),
    () => neighbours.stop(),
    () => ledger.drop(),
  );
});
afterAll(async () => {
  for (const stop of stopping) await stop();
});

it.each(['LedgerService', 'ReconciliationService'])('no request makes an RPC of %s fail', async (name) => {
  const { calls, failures } = await callWithHostileRequests({
    target,
    service: `payflowx.ledger.v1.${name}`,
    accessTokens: [
      await identity.tokenFor({ id: 'usr_ann', roles: ['customer'] }),
      await identity.tokenFor({ id: 'usr_all', roles: ['operator', 'auditor'] }),
    ],
    examples: { account_id: 'acct_ann' },
  });
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(100);
});
