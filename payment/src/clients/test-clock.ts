/** The test clock of authorization. It exists only with SANDBOX=on. */
import { type Caller, type Certificates, connectGrpc, NeighbourError } from '@payflowx/chassis';
import { TestClockServiceClient, type TestClockServiceService } from '@payflowx/proto/authorization';
import { PaymentError, type Reason } from '../domain/errors.ts';
import type { HoldEnd } from '../domain/payment.ts';
import { ROLE_CODES } from '../messages/role-codes.ts';
import { isUnavailable, type Wait } from './authorization.ts';

export interface AdvanceRequest {
  accountId: string;
  requestId: string;
  seconds: number;
  caller: Caller;
}

export interface Advanced {
  /** The present ends of the account's open holds. */
  holds: HoldEnd[];
  movedHolds: number;
  /** Of all requests for the account so far. */
  advancedSeconds: bigint;
  replayed: boolean;
}

export interface TestClock {
  /**
   * Moves the account's holds and limits. A repeated request moves nothing. Throws ACCOUNT_NOT_FOUND, IDEMPOTENCY_KEY_REUSED,
   * TOO_MANY_HOLDS, AUTHORIZATION_UNAVAILABLE, and INVALID_ARGUMENT if the account was moved too far.
   */
  advance(request: AdvanceRequest, wait: Wait): Promise<Advanced>;
  close(): void;
}

export function connectTestClock(settings: { target: string; certificates: Certificates }): TestClock {
  const neighbour = connectGrpc<TestClockServiceService>(TestClockServiceClient, {
    ...settings,
    retryable: ['advanceAccount'],
  });
  return {
    async advance({ caller, ...request }, wait) {
      const callerRoles = caller.roles.map((role) => ROLE_CODES[role]);
      const message = { ...request, callerId: caller.id, callerRoles, clientId: caller.clientId ?? '' };
      const { holds, ...advanced } = await neighbour.advanceAccount(message, wait).catch(translate);
      return { ...advanced, holds: holds.flatMap(toHoldEnd) };
    },
    close: () => neighbour.close(),
  };
}

function toHoldEnd({ paymentId, expiresAt }: { paymentId: string; expiresAt?: Date | undefined }): HoldEnd[] {
  return expiresAt ? [{ paymentId, expiresAt }] : [];
}

/** The reasons of authorization that a caller can do something about, in the words of this service. */
const REASONS: Record<string, Reason> = {
  ACCOUNT_NOT_FOUND: 'ACCOUNT_NOT_FOUND',
  REQUEST_ID_REUSED: 'IDEMPOTENCY_KEY_REUSED',
  TOO_MANY_HOLDS: 'TOO_MANY_HOLDS',
};

const RETRY_MS = 1_000;

function translate(error: unknown): never {
  if (!(error instanceof NeighbourError)) throw error;
  if (isUnavailable(error)) {
    const message = 'The test clock cannot be moved at the moment.';
    throw new PaymentError('AUTHORIZATION_UNAVAILABLE', message, { retryAfterMs: RETRY_MS });
  }
  const reason = REASONS[error.reason];
  if (reason) throw new PaymentError(reason, error.message);
  if (error.reason !== 'INVALID_ARGUMENT') throw error;
  throw new PaymentError('INVALID_ARGUMENT', error.message, { violations: error.violations });
}
