/** Fakes of the neighbours of analytics: the events of payment, and a hand-written AccountService on a real gRPC server. */
import { status } from '@grpc/grpc-js';
import { errorTable, newId, type OutgoingEvent, ReasonedError, requireCaller } from '@payflowx/chassis';
import { fakeService, startTestServer, type TestIdentity } from '@payflowx/chassis/testing';
import {
  Account,
  AccountServiceService,
  AccountState,
  type Movement,
  MovementKind,
} from '@payflowx/proto/authorization';
import { Payment, PaymentEvent, PaymentEventType, PaymentKind, PaymentState } from '@payflowx/proto/payment';

export const transfer = (fromAccount: string, toAccount: string, amountMinor: bigint): Movement => ({
  kind: MovementKind.TRANSFER,
  fromAccount,
  toAccount,
  amountMinor,
});

const PAYMENT: Payment = {
  ...Payment.decode(new Uint8Array()),
  id: 'pay_01',
  kind: PaymentKind.PAYMENT,
  state: PaymentState.INITIATED,
  fromAccount: 'acct_ann',
  toAccount: 'acct_bob',
  amountMinor: 100n,
  currency: 'EUR',
};

/** An event of a payment from Ann to Bob, with the given changes. */
export function paymentEvent(
  type: keyof typeof PaymentEventType,
  { payment = {}, ...changes }: Partial<Omit<PaymentEvent, 'payment'>> & { payment?: Partial<Payment> } = {},
): PaymentEvent {
  return {
    ...PaymentEvent.decode(new Uint8Array()),
    id: newId('evt'),
    type: PaymentEventType[type],
    occurredAt: new Date('2026-03-01T12:00:00.000Z'),
    payment: { ...PAYMENT, ...payment },
    movements: [],
    fromOwnerId: 'usr_ann',
    toOwnerId: 'usr_bob',
    refundId: '',
    decision: new Uint8Array(),
    refund: undefined,
    requesterId: '',
    refundRequesterId: '',
    origin: undefined,
    ...changes,
  };
}

export const encode = (event: PaymentEvent): Buffer => Buffer.from(PaymentEvent.encode(event).finish());

/** The event as payment sends it, except that every event has its own key. So a topic of them fills every partition. */
export const outgoing = (event: PaymentEvent): OutgoingEvent => ({
  id: event.id,
  type: 'payment.completed',
  source: '/payflowx/payment',
  time: event.occurredAt ?? new Date(),
  key: event.id,
  payload: encode(event),
});

class NotFound extends ReasonedError<'ACCOUNT_NOT_FOUND'> {}
const NOT_FOUND = errorTable('authorization', NotFound, { ACCOUNT_NOT_FOUND: status.NOT_FOUND });

/** An AccountService with these accounts, by id with their owners, all in EUR. */
export async function startAccountService({ verifier }: TestIdentity, owners: Record<string, string>) {
  const account = (id: string, ownerId: string) => ({
    ...Account.decode(new Uint8Array()),
    id,
    ownerId,
    currency: 'EUR',
    state: AccountState.ACTIVE,
  });
  const service = fakeService(
    AccountServiceService,
    {
      async getAccount({ accountId }, call) {
        const { id, roles } = requireCaller(call);
        const ownerId = owners[accountId];
        if (ownerId === undefined || (roles.includes('customer') && ownerId !== id))
          throw new NotFound('ACCOUNT_NOT_FOUND', 'no');
        return { account: account(accountId, ownerId) };
      },
    },
    { access: ['customer', 'operator', 'auditor'], errors: NOT_FOUND },
  );
  return startTestServer(verifier, [service]);
}
