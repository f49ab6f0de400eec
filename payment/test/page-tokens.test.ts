import type { Caller } from '@payflowx/chassis';
import { attackedList, expectTokensToBeBound } from '@payflowx/chassis/testing';
import {
  type ListCapturesRequest,
  type ListPaymentsRequest,
  type ListRefundsRequest,
  PaymentServiceService,
  PaymentState,
} from '@payflowx/proto/payment';
import { afterAll, beforeAll, it } from 'vitest';
import { ALL, lifecycleOf } from './lifecycle.ts';
import { CALL, type Platform, startPlatform } from './payment-platform.ts';

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

const OTHER_OPERATIONS = [
  { state: 2 as const },
  { createdAfter: new Date('0001-01-01T00:00:00Z') },
  { createdBefore: new Date('9999-12-31T23:59:59.999Z') },
];

it('accepts a page token only for its own list, caller and filters', async () => {
  const life = lifecycleOf(platform);
  const { client, customer, otherCustomer, operator, auditor } = platform;
  const fromAccount = await platform.accountOf(customer);
  const toAccount = await platform.accountOf(otherCustomer);
  const { reference } = LONGEST;
  await life.pay({ fromAccount, toAccount, reference });
  const { id } = await life.pay({ fromAccount, toAccount, reference });
  for (const reason of ['First', 'Second'])
    await life.refund(id, { amountMinor: 1n, reason }, { by: operator });

  const held = await life.hold({ fromAccount, toAccount });
  for (const amountMinor of [1n, 2n]) await life.capture(held.id, { amountMinor });

  const all = (...callers: Caller[]) => Promise.all(callers.map((caller) => life.callAs(caller)));
  await expectTokensToBeBound([PaymentServiceService], {
    listPayments: attackedList<ListPaymentsRequest>({
      call: client.listPayments,
      filters: {
        ...LONGEST,
        updatedAfter: undefined,
        updatedBefore: undefined,
        accountId: fromAccount,
        state: PaymentState.UNSPECIFIED,
        states: [],
        kind: 0,
        fromAccount: '',
        toAccount: '',
        metadata: {},
        oldestFirst: false,
        referencePrefix: LONGEST.reference,
        mandateId: '',
      },
      as: await life.callAs(customer),
      otherCallers: await all(otherCustomer, operator, auditor, { ...customer, roles: ['operator'] }),
      otherFilters: [
        { accountId: '' },
        { accountId: toAccount },
        { state: PaymentState.COMPLETED },
        { currency: '' },
        { reference: '' },
        { referencePrefix: '' },
        { referencePrefix: 'x' },
        { mandateId: `man_${fromAccount.slice(5)}` },
        { createdAfter: undefined },
        { updatedAfter: new Date('0001-01-01T00:00:00Z') },
        { updatedBefore: new Date('9999-12-31T23:59:59.999Z') },
        { createdBefore: new Date('9999-12-31T23:59:59.998Z') },
        { amountMinMinor: undefined },
        { amountMinMinor: 2n },
        { amountMaxMinor: 2n },
        { states: [PaymentState.COMPLETED] },
        { kind: 1 },
        { fromAccount },
        { toAccount },
        { metadata: { a: 'b' } },
        { oldestFirst: true },
      ],
    }),
    listRefunds: attackedList<ListRefundsRequest>({
      call: client.listRefunds,
      filters: { ...ALL, paymentId: id },
      as: await life.callAs(otherCustomer),
      otherCallers: await all(customer, operator),
      otherFilters: [{ paymentId: 'pay_other' }, ...OTHER_OPERATIONS],
    }),
    listCaptures: attackedList<ListCapturesRequest>({
      call: client.listCaptures,
      filters: { ...ALL, accountId: fromAccount },
      as: await life.callAs(customer),
      otherCallers: await all(otherCustomer, operator),
      otherFilters: [{ accountId: toAccount }, { paymentId: held.id }, ...OTHER_OPERATIONS],
    }),
    listPaymentAuditRecords: attackedList({
      call: client.listPaymentAuditRecords,
      filters: { accountId: fromAccount, actorId: operator.id },
      as: await life.callAs(auditor),
      otherCallers: await all(operator, { ...auditor, id: 'usr_other' }),
      otherFilters: [{ accountId: '' }, { accountId: toAccount }, { actorId: '' }],
    }),
    listAccountFigures: attackedList({
      call: platform.ledger.listAccountFigures,
      filters: { accountIds: [fromAccount, toAccount] },
      as: CALL,
      // No other service may call it.
      otherCallers: [],
      otherFilters: [{ accountIds: [] }, { accountIds: [toAccount, fromAccount] }],
    }),
  });
});
