/** Bulk calls of tooling: opening accounts, many payments at once, reading all balances. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelCredentials, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
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
  {
    authorizationPort,
    paymentPort,
    checkout,
  }: { authorizationPort: number; paymentPort: number; checkout: string },
  operator: Session,
): BulkCalls {
  const tls = credentialsOf(checkout);
  const accounts = new AccountServiceClient(`127.0.0.1:${authorizationPort}`, tls, NAMED);
  const payments = new PaymentServiceClient(`127.0.0.1:${paymentPort}`, tls, NAMED);
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

/** TLS does not allow IP addresses as names of servers. */
const NAMED = { 'grpc.ssl_target_name_override': 'payflowx' };

/** The services of earlier versions have no certificates. */
function credentialsOf(checkout: string): ChannelCredentials {
  const caFile = join(checkout, '.local/tls/services/ca.pem');
  if (!existsSync(caFile)) return credentials.createInsecure();
  // The certificates name services and not addresses.
  return credentials.createSsl(readFileSync(caFile), null, null, { checkServerIdentity: () => undefined });
}

function answered<T>(call: (done: (error: ServiceError | null, response: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error ? reject(error) : resolve(response)));
  });
}
