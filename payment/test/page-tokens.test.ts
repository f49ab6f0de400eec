import type { Caller } from '@payflowx/chassis';
import { attackedList, expectTokensToBeBound } from '@payflowx/chassis/testing';
import { type ListPaymentsRequest, PaymentServiceService, PaymentState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, it } from 'vitest';
import { lifecycleOf } from './lifecycle.ts';
import { type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.stop());

/** Every filter, as long as it may be. Filters are not in a token, so they do not make it longer. */
const LONGEST = {
  currency: 'EUR',
  reference: '\u{1f9fe}'.repeat(50),
  createdAfter: new Date('0001-01-01T00:00:00Z'),
  createdBefore: new Date('9999-12-31T23:59:59.999Z'),
  amountMinMinor: 1n,
  amountMaxMinor: BigInt(Number.MAX_SAFE_INTEGER),
};

it('accepts a page token only for its own list, caller and filters', async () => {
  const life = lifecycleOf(platform);
  const { client, customer, otherCustomer, operator, auditor } = platform;
  const fromAccount = platform.accountOf(customer);
  const toAccount = platform.accountOf(otherCustomer);
  const { reference } = LONGEST;
  await life.pay({ fromAccount, toAccount, reference });
  const { id } = await life.pay({ fromAccount, toAccount, reference });
  for (const reason of ['First', 'Second'])
    await life.refund(id, { amountMinor: 1n, reason }, { by: operator });

  const all = (...callers: Caller[]) => Promise.all(callers.map((caller) => life.callAs(caller)));
  const service: Caller = { id: 'svc_ledger', roles: ['service'] };
  await expectTokensToBeBound([PaymentServiceService], {
    listPayments: attackedList<ListPaymentsRequest>({
      call: client.listPayments,
      filters: { ...LONGEST, accountId: fromAccount, state: PaymentState.UNSPECIFIED },
      as: await life.callAs(customer),
      otherCallers: await all(otherCustomer, operator, auditor, { ...customer, roles: ['operator'] }),
      otherFilters: [
        { accountId: '' },
        { accountId: toAccount },
        { state: PaymentState.COMPLETED },
        { currency: '' },
        { reference: '' },
        { createdAfter: undefined },
        { createdBefore: new Date('9999-12-31T23:59:59.998Z') },
        { amountMinMinor: undefined },
        { amountMinMinor: 2n },
        { amountMaxMinor: 2n },
      ],
    }),
    listRefunds: attackedList({
      call: client.listRefunds,
      filters: { paymentId: id },
      as: await life.callAs(otherCustomer),
      otherCallers: await all(customer, operator),
      otherFilters: [{ paymentId: 'pay_other' }],
    }),
    listPaymentAuditRecords: attackedList({
      call: client.listPaymentAuditRecords,
      filters: { accountId: fromAccount, actorId: operator.id },
      as: await life.callAs(auditor),
      otherCallers: await all(operator, { ...auditor, id: 'usr_other' }),
      otherFilters: [{ accountId: '' }, { accountId: toAccount }, { actorId: '' }],
    }),
    listAccountFigures: attackedList({
      call: client.listAccountFigures,
      filters: { accountIds: [fromAccount, toAccount] },
      as: await life.callAs(service),
      otherCallers: await all({ ...service, id: 'svc_other' }),
      otherFilters: [{ accountIds: [] }, { accountIds: [toAccount, fromAccount] }],
    }),
  });
});
