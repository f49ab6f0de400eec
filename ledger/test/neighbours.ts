/** Fakes of the ledger's neighbours: the events of payment, and a hand-written AccountService on a real gRPC server. */
import { status } from '@grpc/grpc-js';
import { errorTable, newId, type OutgoingEvent, ReasonedError, requireCaller } from '@payflowx/chassis';
import { fakeService, startTestServer, type TestIdentity } from '@payflowx/chassis/testing';
import {
  Account,
  type AccountBalance,
  AccountServiceService,
  AccountState,
  type Movement,
  MovementKind,
} from '@payflowx/proto/authorization';
import { Payment, PaymentEvent, PaymentEventType, PaymentKind, PaymentState } from '@payflowx/proto/payment';

export const hold = (fromAccount: string, toAccount: string, amountMinor: bigint): Movement => ({
  kind: MovementKind.HOLD,
  fromAccount,
  toAccount,
  amountMinor,
});
export const release = (fromAccount: string, toAccount: string, amountMinor: bigint): Movement => ({
  ...hold(fromAccount, toAccount, amountMinor),
  kind: MovementKind.RELEASE,
});
export const transfer = (fromAccount: string, toAccount: string, amountMinor: bigint): Movement => ({
  ...hold(fromAccount, toAccount, amountMinor),
  kind: MovementKind.TRANSFER,
});

/** An event of a payment in EUR with these movements. */
export function paymentEvent(movements: Movement[], changes: Partial<PaymentEvent> = {}): PaymentEvent {
  return {
    ...PaymentEvent.decode(new Uint8Array()),
    id: newId('evt'),
    type: PaymentEventType.COMPLETED,
    occurredAt: new Date(),
    payment: payment(movements),
    movements,
    fromOwnerId: '',
    toOwnerId: '',
    refundId: '',
    decision: new Uint8Array(),
    refund: undefined,
    requesterId: '',
    refundRequesterId: '',
    origin: undefined,
    ...changes,
  };
}

function payment(movements: Movement[]): Payment {
  const [first] = movements;
  return {
    ...Payment.decode(new Uint8Array()),
    id: newId('pay'),
    kind: PaymentKind.PAYMENT,
    state: PaymentState.COMPLETED,
    fromAccount: first?.fromAccount ?? 'acct_a',
    toAccount: first?.toAccount ?? 'acct_b',
    amountMinor: first?.amountMinor ?? 1n,
    currency: 'EUR',
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

/** Accounts by owner, and the balances of ListBalances. Both may be changed while it runs. */
export async function startAccountService({ verifier }: TestIdentity) {
  const owners = new Map<string, string>();
  let balances: AccountBalance[] = [];
  const service = fakeService(
    AccountServiceService,
    {
      async getAccount({ accountId }, call) {
        const { id, roles } = requireCaller(call);
        const owner = owners.get(accountId);
        if (owner === undefined || (roles.includes('customer') && owner !== id))
          throw new NotFound('ACCOUNT_NOT_FOUND', 'not there');
        return { account: account(accountId, owner) };
      },
      // One account a page, so that a caller that reads only the first page fails the test.
      async listAccountIds({ pageToken }, call) {
        const { id } = requireCaller(call);
        const own = [...owners].filter(([, owner]) => owner === id);
        const at = Number(pageToken || 0);
        return {
          accountIds: own.slice(at, at + 1).map(([accountId]) => accountId),
          nextPageToken: at + 1 < own.length ? String(at + 1) : '',
        };
      },
      async listBalances({ pageToken, accountIds }) {
        const at = Number(pageToken || 0);
        const wanted = balances.filter(
          ({ accountId }) => accountIds.length === 0 || accountIds.includes(accountId),
        );
        return {
          balances: wanted.slice(at, at + 2),
          nextPageToken: at + 2 < wanted.length ? String(at + 2) : '',
        };
      },
    },
    {
      access: { roles: ['customer', 'operator', 'auditor'], scope: 'accounts:read', services: ['ledger'] },
      errors: NOT_FOUND,
    },
  );
  const { target, stop } = await startTestServer(verifier, [service]);
  return {
    target,
    open: (accountId: string, ownerId: string) => owners.set(accountId, ownerId),
    setBalances(next: AccountBalance[]) {
      balances = next;
    },
    stop,
  };
}

const account = (id: string, ownerId: string) => ({
  ...Account.decode(new Uint8Array()),
  id,
  ownerId,
  currency: 'EUR',
  state: AccountState.ACTIVE,
});
