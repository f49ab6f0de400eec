/** The client of authorization's AccountService: decides if a caller may read an account, and reads its currency. */
import { status } from '@grpc/grpc-js';
import { type Certificates, connectGrpc, NeighbourError, type OnBehalf } from '@payflowx/chassis';
import { AccountServiceClient } from '@payflowx/proto/authorization';
import { AnalyticsError } from '../domain/errors.ts';

export interface Accounts {
  /** Returns the account if it exists and the caller may read it. Throws AUTHORIZATION_UNAVAILABLE. */
  find(call: OnBehalf, accountId: string): Promise<{ currency: string } | undefined>;
  close(): void;
}

const DEADLINE_MS = 3_000;
/** INVALID_ARGUMENT: a text that cannot be an account id counts as a missing account. */
const MISSING_CODES: readonly status[] = [status.NOT_FOUND, status.INVALID_ARGUMENT];
const OUTAGE_CODES: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
];

export function connectAccounts(settings: { target: string; certificates: Certificates }): Accounts {
  const service = connectGrpc(AccountServiceClient, { ...settings, retryable: ['getAccount'] });
  return {
    async find({ accessToken, deadline }, accountId) {
      try {
        const limits = { deadlineMs: DEADLINE_MS, accessToken, deadline };
        const { account } = await service.getAccount({ accountId }, limits);
        return account && { currency: account.currency };
      } catch (error) {
        const code = error instanceof NeighbourError ? error.code : undefined;
        if (code !== undefined && MISSING_CODES.includes(code)) return undefined;
        if (code !== undefined && OUTAGE_CODES.includes(code)) throw unavailable();
        throw error;
      }
    },
    close: () => service.close(),
  };
}

function unavailable(): AnalyticsError {
  return new AnalyticsError('AUTHORIZATION_UNAVAILABLE', 'The authorization service does not answer.');
}
