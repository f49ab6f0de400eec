import type { RoleName } from '@payflowx/chassis';
import { attackedList, expectTokensToBeBound, PATIENCE_MS } from '@payflowx/chassis/testing';
import {
  AccountServiceService,
  AccountState,
  MandateServiceService,
  MandateState,
  RuleAction,
  RuleServiceService,
} from '@payflowx/proto/authorization';
import { afterAll, beforeAll, it } from 'vitest';
import { openAccount, openMandate, type RunningService, startService } from './running-service.ts';

let service: RunningService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const as = async (id: string, ...roles: RoleName[]) => ({
  deadlineMs: PATIENCE_MS,
  accessToken: await service.tokenFor({ id, roles }),
});

it('accepts a page token only for its own list, caller and filters', async () => {
  const operator = await as('usr_operator', 'operator');
  const accountIds = [await openAccount(service), await openAccount(service), await openAccount(service)];
  const { accounts, rules } = service;
  const [rpc] = rules;
  if (!rpc) throw new Error('no instance');
  const rule = { requestId: '', expression: 'false', action: RuleAction.SHADOW, message: '', enabled: false };
  const saved = [1, 2].map((number) => rpc.createRule({ ...rule, name: `rule ${number}` }, operator));
  const [{ rule: first }] = (await Promise.all(saved)) as [Awaited<(typeof saved)[number]>];
  const ruleId = first?.id ?? '';
  const update = { ruleId, expectedVersion: 1n, action: RuleAction.UNSPECIFIED, message: 'Changed.' };
  await rpc.updateRule({ ...update, expression: undefined, enabled: undefined }, operator);

  const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
  const [fromAccount] = accountIds as [string];
  await openMandate(service, { fromAccount, toAccount });
  await openMandate(service, { fromAccount, toAccount });
  const [mandates] = service.mandates;
  if (!mandates) throw new Error('no instance');

  const otherCallers = [await as('usr_auditor', 'auditor'), await as('usr_operator', 'auditor')];
  const readers = { as: operator, otherCallers, otherFilters: [] };
  await expectTokensToBeBound([AccountServiceService, MandateServiceService, RuleServiceService], {
    listAccounts: attackedList({
      ...readers,
      call: accounts.listAccounts,
      filters: { ...{ ownerId: '', state: AccountState.UNSPECIFIED }, name: '', externalId: '' },
      otherFilters: [
        { ownerId: 'usr_alice' },
        { state: AccountState.FROZEN },
        { name: 'Household' },
        { externalId: 'customer-1' },
      ],
      otherCallers: [...otherCallers, await as('usr_alice', 'customer')],
    }),
    listAccountIds: attackedList({
      call: accounts.listAccountIds,
      filters: {},
      as: await as('usr_alice', 'customer'),
      otherCallers: [await as('usr_bob', 'customer')],
      otherFilters: [],
    }),
    listAccountAuditRecords: attackedList({
      ...readers,
      call: accounts.listAccountAuditRecords,
      filters: { accountId: '', actorId: 'usr_operator' },
      otherFilters: [{ actorId: '' }, { actorId: 'usr_other' }, { accountId: accountIds[0] as string }],
    }),
    listBalances: attackedList({
      call: accounts.listBalances,
      filters: { accountIds },
      as: { deadlineMs: PATIENCE_MS },
      otherCallers,
      otherFilters: [{ accountIds: [] }, { accountIds: accountIds.slice(1) }],
    }),
    listMandates: attackedList({
      ...readers,
      call: mandates.listMandates,
      filters: {
        ...{ accountId: '', fromAccount: '', toAccount: '', state: MandateState.UNSPECIFIED, reference: '' },
        ...{ createdAfter: undefined, createdBefore: undefined },
      },
      otherCallers: [...otherCallers, await as('usr_alice', 'customer'), await as('usr_bob', 'customer')],
      otherFilters: [
        ...[{ accountId: fromAccount }, { fromAccount }, { toAccount }, { reference: 'other' }],
        ...[{ state: MandateState.ACTIVE }, { createdAfter: new Date(0) }, { createdBefore: new Date() }],
      ],
    }),
    listRules: attackedList({ ...readers, call: rpc.listRules, filters: {} }),
    listRuleVersions: attackedList({
      ...readers,
      call: rpc.listRuleVersions,
      filters: { ruleId },
      otherFilters: [{ ruleId: 'rule_other' }],
    }),
  });
});
