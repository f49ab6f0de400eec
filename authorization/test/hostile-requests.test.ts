import { callWithHostileRequests } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningService, startService } from './running-service.ts';

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

it.each([
  ['AccountService', 'ledger'],
  ['AuthorizationService', 'payment'],
  ['RuleService', undefined],
] as const)('no request makes an RPC of %s fail', async (name, as) => {
  const { target, tokenFor, tokens, accounts } = service;
  const opened = await accounts.createAccount(
    {
      ...{ requestId: '', ownerId: 'usr_ada', currency: 'EUR', name: '', limits: undefined, timeZone: '' },
      ...{ externalId: '', metadata: {} },
    },
    { deadlineMs: 20_000, accessToken: tokens.operator },
  );
  const customer = await tokenFor({ id: 'usr_ada', roles: ['customer'] });
  const { calls, failures } = await callWithHostileRequests({
    target,
    service: `payflowx.authorization.v1.${name}`,
    accessTokens: [customer, await tokenFor({ id: 'usr_all', roles: ['operator'] })],
    as,
    // An account that exists, so that its row is reached.
    examples: { account_id: opened.account?.id ?? '', from_account: opened.account?.id ?? '' },
  });
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(500);
});
