/** The client of authorization's AccountService: reads the time zones of accounts. */
import { status } from '@grpc/grpc-js';
import { type Certificates, connectGrpc, NeighbourError } from '@payflowx/chassis';
import { AccountServiceClient } from '@payflowx/proto/authorization';

export interface Accounts {
  /** The IANA name of the account's time zone. Rejects if authorization does not answer. */
  timeZoneOf(accountId: string): Promise<string>;
  close(): void;
}

const DEADLINE_MS = 5_000;

export function connectAccounts(settings: { target: string; certificates: Certificates }): Accounts {
  const service = connectGrpc(AccountServiceClient, { ...settings, retryable: ['getAccount'] });
  return {
    async timeZoneOf(accountId) {
      try {
        const { account } = await service.getAccount({ accountId }, { deadlineMs: DEADLINE_MS });
        return account?.timeZone || 'UTC';
      } catch (error) {
        // An attempt to pay from an account that does not exist has a notice, too.
        if (error instanceof NeighbourError && error.code === status.NOT_FOUND) return 'UTC';
        throw error;
      }
    },
    close: () => service.close(),
  };
}
