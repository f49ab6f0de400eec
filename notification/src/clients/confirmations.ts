/** The client of auth's AuthService: gets the links of confirmation mails. */
import { status } from '@grpc/grpc-js';
import { type Certificates, connectGrpc, NeighbourError } from '@payflowx/chassis';
import { AuthServiceClient } from '@payflowx/proto/auth';

export interface Confirmation {
  email: string;
  /** Secret: it confirms the address. It is in the mail and nowhere else. */
  token: string;
}

export interface Confirmations {
  /** Undefined if it is used, expired, or about an address that has changed. Rejects if auth does not answer. */
  find(confirmationId: string): Promise<Confirmation | undefined>;
  close(): void;
}

const DEADLINE_MS = 5_000;

export function connectConfirmations(settings: {
  target: string;
  certificates: Certificates;
}): Confirmations {
  const service = connectGrpc(AuthServiceClient, { ...settings, retryable: ['getEmailConfirmation'] });
  return {
    async find(confirmationId) {
      try {
        return await service.getEmailConfirmation({ confirmationId }, { deadlineMs: DEADLINE_MS });
      } catch (error) {
        if (error instanceof NeighbourError && error.code === status.NOT_FOUND) return undefined;
        throw error;
      }
    },
    close: () => service.close(),
  };
}
