/** The neighbours of the ledger in tests: events as payment publishes them, and a hand-written AccountService on a real gRPC server. */
import { status } from '@grpc/grpc-js';
import { bindService, errorTable, newId, requireCaller, serveGrpc } from '@payflowx/chassis';
import { type TestIdentity, testLog } from '@payflowx/chassis/testing';
import {
  type AccountBalance,
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

/** An event of a payment in EUR that made these movements. */
export function paymentEvent(movements: Movement[], changes: Partial<PaymentEvent> = {}): PaymentEvent {
  return {
    id: newId('evt'),
    type: PaymentEventType.COMPLETED,
    occurredAt: new Date(),
    payment: payment(movements),
    movements,
    fromOwnerId: '',
    toOwnerId: '',
    refundId: '',
    ...changes,
  };
}

function payment(movements: Movement[]): Payment {
  const [first] = movements;
  return {
    id: newId('pay'),
    kind: PaymentKind.PAYMENT,
    state: PaymentState.COMPLETED,
    fromAccount: first?.fromAccount ?? 'acct_a',
    toAccount: first?.toAccount ?? 'acct_b',
    amountMinor: first?.amountMinor ?? 1n,
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
    createdAt: new Date(),
    updatedAt: new Date(),
  };
}

export const encode = (event: PaymentEvent): Buffer => Buffer.from(PaymentEvent.encode(event).finish());

class NotFound extends Error {
  readonly reason = 'ACCOUNT_NOT_FOUND';
}

/** Accounts by owner, and the balances that ListBalances answers with. Both may be changed while it runs. */
export async function startAccountService({ verifier }: TestIdentity) {
  const owners = new Map<string, string>();
  let balances: AccountBalance[] = [];
  const notUsed = () => Promise.reject(new Error('not used'));
  const service = bindService(AccountServiceService, {
    access: {
      createAccount: [],
      batchCreateAccounts: [],
      getAccount: ['customer', 'operator', 'auditor', 'service'],
      listAccounts: ['customer', 'operator', 'auditor', 'service'],
      listBalances: ['operator', 'auditor', 'service'],
      updateAccount: [],
      changeAccountState: [],
      listAccountAuditRecords: [],
    },
    errors: errorTable('authorization', NotFound, { ACCOUNT_NOT_FOUND: status.NOT_FOUND }),
    handlers: {
      createAccount: notUsed,
      batchCreateAccounts: notUsed,
      updateAccount: notUsed,
      changeAccountState: notUsed,
      listAccountAuditRecords: notUsed,
      async getAccount({ accountId }, call) {
        const { id, roles } = requireCaller(call);
        const owner = owners.get(accountId);
        if (owner === undefined || (roles.includes('customer') && owner !== id))
          throw new NotFound('not there');
        return { account: account(accountId, owner) };
      },
      // One account a page, so that whoever reads only the first page is found out.
      async listAccounts({ pageToken }, call) {
        const { id } = requireCaller(call);
        const own = [...owners].filter(([, owner]) => owner === id);
        const at = Number(pageToken || 0);
        return {
          accounts: own.slice(at, at + 1).map(([accountId, owner]) => account(accountId, owner)),
          nextPageToken: at + 1 < own.length ? String(at + 1) : '',
        };
      },
      async listBalances({ pageToken }) {
        const at = Number(pageToken || 0);
        return {
          balances: balances.slice(at, at + 2),
          nextPageToken: at + 2 < balances.length ? String(at + 2) : '',
        };
      },
    },
  });
  const server = await serveGrpc({ host: '127.0.0.1', port: 0, reflection: false, verifier, log: testLog }, [
    service,
  ]);
  return {
    target: `ipv4:127.0.0.1:${server.port}`,
    open: (accountId: string, ownerId: string) => owners.set(accountId, ownerId),
    setBalances(next: AccountBalance[]) {
      balances = next;
    },
    stop: () => server.drain(),
  };
}

function account(id: string, ownerId: string) {
  return {
    id,
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
  };
}
