/** Bulk calls of tooling: opening accounts, many payments at once, reading all balances. */
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  AccountServiceClient,
  type BatchCreateAccountsResponse,
  type CreateAccountRequest,
  type ListBalancesResponse,
} from '@payflowx/proto/authorization';
import {
  type CreatePaymentRequest,
  type CreatePaymentResponse,
  PaymentServiceClient,
} from '@payflowx/proto/payment';
import type { Session } from './session.ts';

export interface BulkCalls {
  openAccounts(items: CreateAccountRequest[]): Promise<BatchCreateAccountsResponse>;
  listBalances(pageToken: string): Promise<ListBalancesResponse>;
  pay(request: CreatePaymentRequest): Promise<CreatePaymentResponse>;
  close(): void;
}

const DEADLINE_MS = 30_000;
const BALANCES_PAGE = 5_000;

export function connectBulkCalls(
  { authorizationPort, paymentPort }: { authorizationPort: number; paymentPort: number },
  operator: Session,
): BulkCalls {
  const insecure = credentials.createInsecure();
  const accounts = new AccountServiceClient(`127.0.0.1:${authorizationPort}`, insecure);
  const payments = new PaymentServiceClient(`127.0.0.1:${paymentPort}`, insecure);
  const caller = () => {
    const metadata = new Metadata();
    metadata.set('authorization', operator.authorization());
    return metadata;
  };
  const options = () => ({ deadline: Date.now() + DEADLINE_MS });
  return {
    openAccounts: (items) =>
      answered((done) => accounts.batchCreateAccounts({ items }, caller(), options(), done)),
    listBalances: (pageToken) =>
      answered((done) => {
        const request = { pageSize: BALANCES_PAGE, pageToken, accountIds: [] };
        accounts.listBalances(request, caller(), options(), done);
      }),
    pay: (request) => answered((done) => payments.createPayment(request, caller(), options(), done)),
    close() {
      accounts.close();
      payments.close();
    },
  };
}

function answered<T>(call: (done: (error: ServiceError | null, response: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error ? reject(error) : resolve(response)));
  });
}
