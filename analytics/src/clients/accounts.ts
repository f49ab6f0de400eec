/** The authorization service's accounts: who may look at one, and what its currency is. */
import { status } from '@grpc/grpc-js';
import { connectGrpc, NeighbourError } from '@payflowx/chassis';
import { AccountServiceClient } from '@payflowx/proto/authorization';
import { AnalyticsError } from '../domain/errors.ts';

/** In whose name an account is asked for, and until when the answer is of use. */
export interface Asker {
  accessToken: string | undefined;
  deadline: Date;
}

export interface Accounts {
  /** The account, if it exists and the asker may look at it. Throws AUTHORIZATION_UNAVAILABLE. */
  find(asker: Asker, accountId: string): Promise<{ currency: string } | undefined>;
  close(): void;
}

const DEADLINE_MS = 3_000;
/** What cannot be an account's id names no account either. */
const NOT_THERE: readonly status[] = [status.NOT_FOUND, status.INVALID_ARGUMENT];
const AWAY: readonly status[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED];

export function connectAccounts(settings: { target: string }): Accounts {
  const service = connectGrpc(AccountServiceClient, { ...settings, retryable: ['getAccount'] });
  return {
    async find({ accessToken, deadline }, accountId) {
      try {
        const limits = { deadlineMs: DEADLINE_MS, accessToken, deadline };
        const { account } = await service.getAccount({ accountId }, limits);
        return account && { currency: account.currency };
      } catch (error) {
        const code = error instanceof NeighbourError ? error.code : undefined;
        if (code !== undefined && NOT_THERE.includes(code)) return undefined;
        if (code !== undefined && AWAY.includes(code)) throw unavailable();
        throw error;
      }
    },
    close: () => service.close(),
  };
}

function unavailable(): AnalyticsError {
  return new AnalyticsError('AUTHORIZATION_UNAVAILABLE', 'The authorization service does not answer.');
}
