/** The authorization service in our own words: payments go in, decisions come out, each by itself. */
import { connectGrpc, failed, fromRpcStatus, ok, type Result } from '@payflowx/chassis';
import { Role } from '@payflowx/proto/auth';
import {
  AuthorizationServiceClient,
  type AuthorizeItem,
  type AuthorizeResult,
  Decision as DecisionMessage,
  MovementKind,
  Outcome,
} from '@payflowx/proto/authorization';
import type { Caller, Decision, Movement, Payment } from '../domain/payment.ts';
import { CAPTURE_MODE_CODES } from '../messages/payment-message.ts';

export interface AuthorizeRequest {
  payment: Payment;
  /** Past this nobody waits for the decision. */
  deadline: Date;
}

export interface Authorization {
  /**
   * Decides on payments in one call, one result each, in order. Asking again for a payment gives its first decision again.
   * Rejects with NeighbourError if authorization could not be asked or did not answer within `deadlineMs`.
   */
  authorize(requests: readonly AuthorizeRequest[], deadlineMs: number): Promise<Result<Decision>[]>;
  close(): void;
}

export function connectAuthorization(settings: {
  target: string;
  token: () => Promise<string>;
}): Authorization {
  const neighbour = connectGrpc(AuthorizationServiceClient, { ...settings, retryable: ['batchAuthorize'] });
  return {
    async authorize(requests, deadlineMs) {
      const { results } = await neighbour.batchAuthorize({ items: requests.map(toItem) }, { deadlineMs });
      return results.map(toResult);
    },
    close: () => neighbour.close(),
  };
}

const ROLE_CODES = {
  customer: Role.CUSTOMER,
  operator: Role.OPERATOR,
  auditor: Role.AUDITOR,
  service: Role.SERVICE,
} as const satisfies Record<Caller['roles'][number], Role>;

function toItem({ payment, deadline }: AuthorizeRequest): AuthorizeItem {
  const { caller, traceparent } = payment.origin;
  return {
    paymentId: payment.id,
    operationId: payment.id,
    fromAccount: payment.fromAccount,
    toAccount: payment.toAccount,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    captureMode: CAPTURE_MODE_CODES[payment.captureMode],
    callerId: caller.id,
    callerRoles: caller.roles.map((role) => ROLE_CODES[role]),
    holdExpiresAt: payment.holdExpiresAt,
    traceparent,
    deadline,
  };
}

function toResult({ result }: AuthorizeResult): Result<Decision> {
  try {
    if (result?.$case === 'decision') return ok(toDecision(result.value));
    if (result?.$case === 'error') return failed(fromRpcStatus(result.value));
    return failed(new Error('Authorization answered with neither a decision nor an error.'));
  } catch (error) {
    // One answer that we do not understand must not take its neighbours' with it.
    return failed(error);
  }
}

function toDecision(message: DecisionMessage): Decision {
  const { outcome, code, fromOwnerId, toOwnerId } = message;
  if (outcome === Outcome.UNSPECIFIED) throw new Error('Authorization neither approved nor declined.');
  return {
    failure: outcome === Outcome.APPROVED ? undefined : { code, message: message.message },
    movements: message.movements.map(({ kind, ...movement }) => ({
      ...movement,
      kind: toMovementKind(kind),
    })),
    fromOwnerId: fromOwnerId || undefined,
    toOwnerId: toOwnerId || undefined,
    record: DecisionMessage.encode(message).finish(),
  };
}

function toMovementKind(kind: MovementKind): Movement['kind'] {
  switch (kind) {
    case MovementKind.HOLD:
      return 'HOLD';
    case MovementKind.RELEASE:
      return 'RELEASE';
    case MovementKind.TRANSFER:
      return 'TRANSFER';
    default:
      throw new Error(`Authorization moved money in a way that we do not know: ${kind}.`);
  }
}
