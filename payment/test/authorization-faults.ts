/**
 * Faults around the handlers of the real authorization: requests that fail, and answers that come late. Every decision is made by the
 * service itself.
 */
import { type BoundService, type Call, type Handlers, newId } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import type {
  AuthorizationServiceService,
  AuthorizeItem,
  AuthorizeResult,
  CaptureHoldRequest,
  RefundTransferRequest,
  ReleaseHoldRequest,
  ReleaseHoldResponse,
} from '@payflowx/proto/authorization';

export type AskedStep =
  | { rpc: 'captureHold'; request: CaptureHoldRequest }
  | { rpc: 'releaseHold'; request: ReleaseHoldRequest }
  | { rpc: 'refundTransfer'; request: RefundTransferRequest };

export interface AuthorizationFaults {
  /** All requested payments, in order. */
  asked: AuthorizeItem[];
  /** The requested steps of authorized payments, in order: the RPC and the request. */
  steps: AskedStep[];
  /** From now on, these payments get an error of their own, as a bug of authorization makes it. Default: none. */
  failItems(fails?: (item: AuthorizeItem) => boolean): void;
  /** From now on, a call with one of these payments fails as a whole, before any decision. Default: none. */
  failCalls(fails?: (item: AuthorizeItem) => boolean): void;
  /** From now on, these steps fail before their decision. Default: none. */
  failSteps(fails?: (step: AskedStep) => boolean): void;
  /** From now on, decisions are made and their answers wait. Returns the function that lets them go. */
  holdAnswers(): () => void;
  /** True to store the decline of an expiry that came too early, as older versions of authorization did. */
  storeTooEarlyDeclines(keep: boolean): void;
}

type AuthorizationHandlers = Handlers<AuthorizationServiceService>;

interface Faulty {
  /** Returns the service that decides now. */
  current: () => BoundService;
  /** Returns how far its clock is ahead of ours. */
  aheadMs: () => number;
  /** The caller that prepares tests. Its payments have no faults and are not recorded. */
  exempt: string;
}

export function withFaults({ current, aheadMs, exempt }: Faulty): {
  service: BoundService;
  faults: AuthorizationFaults;
} {
  const asked: AuthorizeItem[] = [];
  const steps: AskedStep[] = [];
  const none = () => false;
  let failsItem: (item: AuthorizeItem) => boolean = none;
  let failsCall: (item: AuthorizeItem) => boolean = none;
  let failsStep: (step: AskedStep) => boolean = none;
  let gate: Promise<void> | undefined;
  let storesTooEarlyDeclines = false;
  const tooEarly = new Map<string, ReleaseHoldResponse>();

  const real = () => current().handlers as unknown as AuthorizationHandlers;
  /** The deadline of a call, by the clock of authorization. Decisions whose answers wait are made however busy the machine is. */
  const timed = (call: Call): Call => {
    const patienceMs = gate ? PATIENCE_MS : 0;
    return { ...call, deadline: new Date(call.deadline.getTime() + aheadMs() + patienceMs) };
  };
  const lateAnswer = async <T>(deciding: Promise<T>): Promise<T> => {
    const hold = gate;
    const answer = await deciding;
    await hold;
    return answer;
  };
  const decideStep = <T>(step: AskedStep, decide: () => Promise<T>): Promise<T> => {
    steps.push(step);
    if (failsStep(step)) throw new Error('poisoned');
    return lateAnswer(decide());
  };

  const handlers: AuthorizationHandlers = {
    async batchAuthorize(request, call) {
      if (request.items.every(({ callerId }) => callerId === exempt))
        return real().batchAuthorize(request, timed(call));
      asked.push(...request.items);
      if (request.items.some(failsCall)) throw new Error('poisoned');
      const fails = request.items.map(failsItem);
      const others = request.items.filter((_, index) => !fails[index]);
      const items = gate ? others.map((item) => ({ ...item, deadline: undefined })) : others;
      if (items.length === 0) return { results: request.items.map(() => UNDECIDED), answeredAt: undefined };
      const answer = await lateAnswer(real().batchAuthorize({ ...request, items }, timed(call)));
      const decided = answer.results.values();
      const results = fails.map((fails) => (fails ? UNDECIDED : (decided.next().value as AuthorizeResult)));
      return { ...answer, results };
    },
    async captureHold(request, call) {
      return decideStep({ rpc: 'captureHold', request }, () => real().captureHold(request, timed(call)));
    },
    async releaseHold(request, call) {
      const release = async () => {
        const stored = tooEarly.get(request.operationId);
        if (stored) return stored;
        const answer = await real().releaseHold(request, timed(call));
        if (!storesTooEarlyDeclines || answer.decision?.code !== 'HOLD_NOT_EXPIRED') return answer;
        const decline = { decision: { ...answer.decision, id: newId('dec') }, expiresAt: undefined };
        tooEarly.set(request.operationId, decline);
        return decline;
      };
      return decideStep({ rpc: 'releaseHold', request }, release);
    },
    async refundTransfer(request, call) {
      return decideStep({ rpc: 'refundTransfer', request }, () =>
        real().refundTransfer(request, timed(call)),
      );
    },
    simulateAuthorization: (request, call) => real().simulateAuthorization(request, timed(call)),
  };

  return {
    service: { ...current(), handlers: handlers as unknown as BoundService['handlers'] },
    faults: {
      asked,
      steps,
      failItems(fails = none) {
        failsItem = fails;
      },
      failCalls(fails = none) {
        failsCall = fails;
      },
      failSteps(fails = none) {
        failsStep = fails;
      },
      holdAnswers() {
        const { promise, resolve } = Promise.withResolvers<void>();
        gate = promise;
        return () => {
          if (gate === promise) gate = undefined;
          resolve();
        };
      },
      storeTooEarlyDeclines(keep) {
        storesTooEarlyDeclines = keep;
      },
    },
  };
}

/** The error of an item that authorization cannot decide. */
const UNDECIDED: AuthorizeResult = {
  result: { $case: 'error', value: { code: 13, message: 'a bug', details: [] } },
};
