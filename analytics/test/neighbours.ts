/** The neighbours of analytics in tests: events as payment publishes them, and a hand-written AccountService on a real gRPC server. */
import { status } from '@grpc/grpc-js';
import { bindService, errorTable, newId, requireCaller, serveGrpc } from '@payflowx/chassis';
import { type TestIdentity, testLog } from '@payflowx/chassis/testing';
import {
  AccountServiceService,
  AccountState,
  type Movement,
  MovementKind,
} from '@payflowx/proto/authorization';
import {
  type Payment,
  PaymentEvent,
  PaymentEventType,
  PaymentKind,
  PaymentState,
} from '@payflowx/proto/payment';

export const transfer = (fromAccount: string, toAccount: string, amountMinor: bigint): Movement => ({
  kind: MovementKind.TRANSFER,
  fromAccount,
  toAccount,
  amountMinor,
});

const PAYMENT: Payment = {
  id: 'pay_01',
  kind: PaymentKind.PAYMENT,
  state: PaymentState.INITIATED,
  fromAccount: 'acct_ann',
  toAccount: 'acct_bob',
  amountMinor: 100n,
  currency: 'EUR',
  capturedMinor: 0n,
  refundedMinor: 0n,
  captureMode: 1,
  description: '',
  reference: '',
  metadata: {},
  failure: undefined,
  decision: undefined,
  expiresAt: undefined,
  version: 1n,
  createdAt: new Date(0),
  updatedAt: new Date(0),
};

/** An event of a payment from Ann to Bob, unless changed. */
export function paymentEvent(
  type: keyof typeof PaymentEventType,
  { payment = {}, ...changes }: Partial<Omit<PaymentEvent, 'payment'>> & { payment?: Partial<Payment> } = {},
): PaymentEvent {
  return {
    id: newId('evt'),
    type: PaymentEventType[type],
    occurredAt: new Date('2026-03-01T12:00:00.000Z'),
    payment: { ...PAYMENT, ...payment },
    movements: [],
    fromOwnerId: 'usr_ann',
    toOwnerId: 'usr_bob',
    refundId: '',
    ...changes,
  };
}

export const encode = (event: PaymentEvent): Buffer => Buffer.from(PaymentEvent.encode(event).finish());

class NotFound extends Error {
  readonly reason = 'ACCOUNT_NOT_FOUND';
}

/** An AccountService with these accounts, by id with their owners, all in EUR. */
export async function startAccountService({ verifier }: TestIdentity, owners: Record<string, string>) {
  const notUsed = () => Promise.reject(new Error('not used'));
  const service = bindService(AccountServiceService, {
    access: {
      createAccount: [],
      batchCreateAccounts: [],
      getAccount: ['customer', 'operator', 'auditor', 'service'],
      listAccounts: [],
      listBalances: [],
      updateAccount: [],
      changeAccountState: [],
      listAccountAuditRecords: [],
    },
    errors: errorTable('authorization', NotFound, { ACCOUNT_NOT_FOUND: status.NOT_FOUND }),
    handlers: {
      createAccount: notUsed,
      batchCreateAccounts: notUsed,
      listAccounts: notUsed,
      listBalances: notUsed,
      updateAccount: notUsed,
      changeAccountState: notUsed,
      listAccountAuditRecords: notUsed,
      async getAccount({ accountId }, call) {
        const { id, roles } = requireCaller(call);
        const ownerId = owners[accountId];
        if (ownerId === undefined || (roles.includes('customer') && ownerId !== id)) throw new NotFound('no');
        return {
          account: {
            id: accountId,
            ownerId,
            name: '',
            currency: 'EUR',
            state: AccountState.ACTIVE,
            balance: undefined,
            limits: undefined,
            usage: undefined,
            version: 1n,
            createdAt: new Date(),
            timeZone: 'UTC',
          },
        };
      },
    },
  });
  const settings = { host: '127.0.0.1', port: 0, reflection: false, verifier, log: testLog };
  const server = await serveGrpc(settings, [service]);
  return { target: `ipv4:127.0.0.1:${server.port}`, stop: () => server.drain() };
}
