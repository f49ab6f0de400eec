/** AuthorizationService: decides the steps of payments. */
import { status } from '@grpc/grpc-js';
import {
  type BoundService,
  bindService,
  collectViolations,
  createClockSkew,
  entered,
  type Logger,
  newId,
  recordServed,
  runInTrace,
  toRpcStatus,
  traceFrom,
} from '@payflowx/chassis';
import {
  AuthorizationServiceService,
  type AuthorizeItem,
  type AuthorizeResult,
} from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import type { RulesInForce } from '../app/rules-in-force.ts';
import { simulateAuthorization } from '../app/simulate-authorization.ts';
import type { SimulationQuota } from '../app/simulation-quota.ts';
import type { StepFlow } from '../app/step-flow.ts';
import { invalid } from '../domain/errors.ts';
import { toDecisionMessage } from '../messages/decision-message.ts';
import type { Database } from '../store/database.ts';
import { AUTHORIZATION_ACCESS } from './access.ts';
import { ERRORS } from './errors.ts';
import {
  toAuthorizeCommand,
  toCaptureCommand,
  toRefundCommand,
  toReleaseCommand,
  toSimulatedPayment,
} from './step-commands.ts';

const MAX_ITEMS = 500;
/** The name of an item of a batch in traces. */
const ITEM_ROUTE = AuthorizationServiceService.batchAuthorize.path.replace('BatchAuthorize', 'Authorize');

interface AuthorizationServiceDeps {
  /** Collects the steps of all concurrent calls, of any kind, into batches. */
  steps: StepFlow;
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
  rules: RulesInForce;
  sandbox?: boolean | undefined;
  simulations: SimulationQuota;
  log: Logger;
}

export function authorizationService({
  steps,
  simulations,
  log,
  ...deps
}: AuthorizationServiceDeps): BoundService {
  const skew = createClockSkew(deps);

  /** Runs in the payment's own trace, not in that of the batch. */
  const authorize = (item: AuthorizeItem, aheadMs: number): Promise<AuthorizeResult> => {
    const startedAt = performance.now();
    const trace = entered(traceFrom(item.traceparent));
    return runInTrace(trace, async (): Promise<AuthorizeResult> => {
      try {
        const { decision } = await steps.decide(toAuthorizeCommand(item, aheadMs));
        recordServed(trace, startedAt, ITEM_ROUTE, status.OK);
        return { result: { $case: 'decision', value: decision } };
      } catch (error) {
        const value = toRpcStatus(error, ERRORS, log);
        recordServed(trace, startedAt, ITEM_ROUTE, value.code);
        return { result: { $case: 'error', value } };
      }
    });
  };

  return bindService(AuthorizationServiceService, {
    access: AUTHORIZATION_ACCESS,
    errors: ERRORS,
    handlers: {
      async batchAuthorize({ items, sentAt }, call) {
        const aheadMs = skew.aheadMs(sentAt, call);
        const violations = collectViolations(invalid);
        violations.require(items.length >= 1 && items.length <= MAX_ITEMS, 'items', 'must be 1 to 500');
        violations.throwIfAny();
        const results = await Promise.all(items.map((item) => authorize(item, aheadMs)));
        return { results, answeredAt: deps.now() };
      },

      async captureHold(request, { deadline }) {
        const { decision, remaining } = await steps.decide(toCaptureCommand(request, deadline));
        return { decision, remainingMinor: remaining };
      },

      async releaseHold(request, { deadline }) {
        const { decision, retryAt } = await steps.decide(toReleaseCommand(request, deadline));
        return { decision, expiresAt: retryAt };
      },

      async refundTransfer(request, { deadline }) {
        const { decision } = await steps.decide(toRefundCommand(request, deadline));
        return { decision };
      },

      async simulateAuthorization({ item }) {
        const request = toSimulatedPayment(item, newId('pay'));
        const { callerId, fromAccount, toAccount } = request;
        simulations.take(callerId);
        const decision = await simulateAuthorization(deps, request);
        // No amounts in logs. Many lines of one caller and one receiver show a search for the receiver's facts.
        log.info(
          { caller: callerId, from_account: fromAccount, to_account: toAccount, decline: decision.decline },
          'a payment was simulated',
        );
        return { decision: toDecisionMessage(decision) };
      },
    },
  });
}
