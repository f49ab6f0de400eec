/** A fake authorization service: a real gRPC server with the methods that payment calls. */
import { status } from '@grpc/grpc-js';
import {
  bindService,
  errorTable,
  type GrpcServer,
  newId,
  serveGrpc,
  type TokenVerifier,
  toRpcStatus,
} from '@payflowx/chassis';
import { testLog } from '@payflowx/chassis/testing';
import {
  AuthorizationServiceService,
  type AuthorizeItem,
  type AuthorizeResult,
  type CaptureHoldRequest,
  CaptureMode,
  type Decision,
  MovementKind,
  Outcome,
  type RefundTransferRequest,
  type ReleaseHoldRequest,
} from '@payflowx/proto/authorization';
import { createFakeHolds, type FakeHolds } from './fake-holds.ts';

export interface FakeAuthorization {
  target: string;
  /** All requested payments, in order. */
  asked: AuthorizeItem[];
  /** Ids of the payments whose money was moved or held, each once for any number of requests. */
  approved(): string[];
  /** Replaces the response to payments from now on. Undefined lets the fake approve. */
  answerWith(answer: ((item: AuthorizeItem) => AuthorizeResult | undefined) | undefined): void;
  /** The requested steps of authorized payments, in order: the RPC and the request. */
  steps: AskedStep[];
  /** Replaces the response to steps from now on. Undefined lets the fake decide. */
  answerStepWith(answer: ((step: AskedStep) => Decision | undefined) | undefined): void;
  holds: FakeHolds;
  /** Milliseconds that the fake's clock is ahead of ours. */
  advanceClock(byMs: number): void;
  /** True to store the decline of an expiry that came too early, as older versions did. */
  storeTooEarlyDeclines(keep: boolean): void;
  /** Responses wait for this. Decisions are made at once. */
  holdAnswersUntil(gate: Promise<void>): void;
  stop(): Promise<void>;
}

export type AskedStep =
  | { rpc: 'captureHold'; request: CaptureHoldRequest }
  | { rpc: 'releaseHold'; request: ReleaseHoldRequest }
  | { rpc: 'refundTransfer'; request: RefundTransferRequest };

/** The error for a step or an item whose account is locked. */
class AccountBusy extends Error {
  readonly reason = 'ACCOUNT_BUSY';
}
const ERRORS = errorTable('authorization', AccountBusy, { ACCOUNT_BUSY: status.ABORTED });
export const busyItem = (): AuthorizeResult => ({
  result: { $case: 'error', value: toRpcStatus(new AccountBusy('locked'), ERRORS, testLog) },
});
export const busyStep = (): never => {
  throw new AccountBusy('locked');
};

/** `ownerOf` returns the owner of an account. Every payment is approved unless `answerWith` replaces the response. */
export async function startFakeAuthorization(
  verifier: TokenVerifier,
  ownerOf: (account: string) => string,
): Promise<FakeAuthorization> {
  const asked: AuthorizeItem[] = [];
  const decided = new Map<string, AuthorizeResult>();
  let answer: (item: AuthorizeItem) => AuthorizeResult | undefined = () => undefined;
  let gate: Promise<void> = Promise.resolve();

  const steps: AskedStep[] = [];
  const decidedSteps = new Map<string, Decision>();
  let answerStep: (step: AskedStep) => Decision | undefined = () => undefined;
  let aheadMs = 0;
  let storesTooEarlyDeclines = false;
  const now = () => new Date(Date.now() + aheadMs);
  const holds = createFakeHolds(now);

  /**
   * Decides once for each operation id, also if a later request differs. The decline of a step that is too early is not stored.
   */
  const decideStep = async (step: AskedStep, take: () => Decision): Promise<Decision> => {
    steps.push(step);
    const key = `${step.request.paymentId} ${step.request.operationId}`;
    const decision = decidedSteps.get(key) ?? answerStep(step) ?? take();
    if (decision.code !== 'HOLD_NOT_EXPIRED' || storesTooEarlyDeclines) decidedSteps.set(key, decision);
    await gate;
    return decision;
  };

  const decide = (item: AuthorizeItem): AuthorizeResult => {
    asked.push(item);
    const key = `${item.paymentId} ${item.operationId}`;
    const known = decided.get(key);
    if (known) return known;
    const result = answer(item) ?? approve(item, ownerOf, now());
    if (result.result?.$case === 'decision') {
      const { movements, holdExpiresAt } = result.result.value;
      decided.set(key, result);
      holds.book(item.paymentId, movements, holdExpiresAt);
    }
    return result;
  };

  const service = bindService(AuthorizationServiceService, {
    access: {
      batchAuthorize: ['service'],
      captureHold: ['service'],
      releaseHold: ['service'],
      refundTransfer: ['service'],
      simulateAuthorization: ['service'],
    },
    errors: ERRORS,
    handlers: {
      async batchAuthorize({ items }) {
        const results = items.map(decide);
        await gate;
        return { results, answeredAt: now() };
      },
      async captureHold(request) {
        const decision = await decideStep({ rpc: 'captureHold', request }, () => holds.capture(request));
        return { decision, remainingMinor: holds.remainingOf(request.paymentId) };
      },
      async releaseHold(request) {
        const decision = await decideStep({ rpc: 'releaseHold', request }, () => holds.release(request));
        const isTooEarly = decision.code === 'HOLD_NOT_EXPIRED' && !storesTooEarlyDeclines;
        return { decision, expiresAt: isTooEarly ? holds.expiresAt(request.paymentId) : undefined };
      },
      async refundTransfer(request) {
        return {
          decision: await decideStep({ rpc: 'refundTransfer', request }, () => holds.refund(request)),
        };
      },
      async simulateAuthorization({ item }) {
        if (!item) throw new Error('Nothing to simulate.');
        const { result } = answer(item) ?? approve(item, ownerOf, now());
        return { decision: result?.$case === 'decision' ? result.value : undefined };
      },
    },
  });
  const server: GrpcServer = await serveGrpc(
    { host: '127.0.0.1', port: 0, reflection: false, pageTokenKey: undefined, verifier, log: testLog },
    [service],
  );
  return {
    target: `ipv4:127.0.0.1:${server.port}`,
    asked,
    approved: () =>
      [...decided].filter(([, result]) => isApproval(result)).map(([key]) => key.split(' ')[0] ?? ''),
    answerWith(next) {
      answer = next ?? (() => undefined);
    },
    steps,
    answerStepWith(next) {
      answerStep = next ?? (() => undefined);
    },
    holds,
    advanceClock(byMs) {
      aheadMs = byMs;
    },
    storeTooEarlyDeclines(keep) {
      storesTooEarlyDeclines = keep;
    },
    holdAnswersUntil(next) {
      gate = next;
    },
    stop: () => server.drain(),
  };
}

function isApproval({ result }: AuthorizeResult): boolean {
  return result?.$case === 'decision' && result.value.outcome === Outcome.APPROVED;
}

function approve(item: AuthorizeItem, ownerOf: (account: string) => string, now: Date): AuthorizeResult {
  const { fromAccount, toAccount, amountMinor, captureMode } = item;
  const kind = captureMode === CaptureMode.MANUAL ? MovementKind.HOLD : MovementKind.TRANSFER;
  return decision({
    outcome: Outcome.APPROVED,
    checks: [
      { name: 'balance', passed: true, inputs: { available: '100000' } },
      {
        name: 'rule',
        passed: true,
        inputs: { rule_id: 'rule_1', rule: 'secret', action: 'shadow', matched: 'true' },
      },
    ],
    movements: [{ kind, fromAccount, toAccount, amountMinor }],
    fromOwnerId: ownerOf(fromAccount),
    toOwnerId: ownerOf(toAccount),
    decidedAt: now,
    holdExpiresAt: item.holdSeconds > 0 ? new Date(now.getTime() + item.holdSeconds * 1_000) : undefined,
  });
}

/** A decline with both owners, as authorization sends it. A payer's account that does not exist has no owner. */
export function decline(
  item: AuthorizeItem,
  code: string,
  ownerOf: (account: string) => string,
): AuthorizeResult {
  return decision({
    outcome: Outcome.DECLINED,
    code,
    message: `Declined: ${code}.`,
    fromOwnerId: code === 'FROM_ACCOUNT_NOT_FOUND' ? '' : ownerOf(item.fromAccount),
    toOwnerId: ownerOf(item.toAccount),
  });
}

function decision(given: Partial<Decision>): AuthorizeResult {
  const value: Decision = {
    outcome: Outcome.UNSPECIFIED,
    code: '',
    message: '',
    limit: undefined,
    checks: [],
    movements: [],
    fromOwnerId: '',
    toOwnerId: '',
    decidedAt: new Date(),
    holdExpiresAt: undefined,
    id: newId('dec'),
    ...given,
  };
  return { result: { $case: 'decision', value } };
}
