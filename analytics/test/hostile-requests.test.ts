import { serveGrpc } from '@payflowx/chassis';
import {
  callWithHostileRequests,
  createTestIdentity,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { connectAccounts } from '../src/clients/accounts.ts';
import { analyticsService } from '../src/rpc/analytics-service.ts';
import { createAnalyticsDatabase } from './fixture.ts';
import { startAccountService } from './neighbours.ts';

it('no request makes an RPC fail', async () => {
  const identity = createTestIdentity();
  const { verifier } = identity;
  const analytics = await createAnalyticsDatabase();
  const authorization = await startAccountService(identity, { acct_ann: 'usr_ann' });
  const accounts = connectAccounts({
    target: authorization.target,
    certificates: testCertificates('analytics'),
  });
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    certificates: testCertificates('analytics'),
    verifier,
    pageTokenKey: testPageTokenKey,
    log: testLog,
  };
  const service = analyticsService({ db: analytics.db, accounts, now: () => new Date() });
  const server = await serveGrpc(settings, [service]);
  const { calls, failures } = await callWithHostileRequests({
    target: `127.0.0.1:${server.port}`,
    service: 'payflowx.analytics.v1.AnalyticsService',
    accessTokens: [
      await identity.tokenFor({ id: 'usr_ann', roles: ['customer'] }),
      await identity.tokenFor({ id: 'usr_all', roles: ['operator'] }),
    ],
    as: 'ledger',
    examples: { account_id: 'acct_ann' },
  });
  await server.drain();
  accounts.close();
  await authorization.stop();
  await analytics.drop();
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(300);
});
