/** SandboxService: the test clock. It is served only with SANDBOX=on. */
import { type BoundService, bindService, collectViolations, requireCaller } from '@payflowx/chassis';
import { type AdvanceTestClockRequest, SandboxServiceService } from '@payflowx/proto/payment';
import { type AdvanceDeps, advanceTestClock } from '../app/advance-test-clock.ts';
import { invalid } from '../domain/errors.ts';
import { isAccountId } from '../domain/ids.ts';
import { checkKey } from '../domain/order.ts';
import { SANDBOX_ACCESS } from './access.ts';
import { errors } from './errors.ts';

/** One year of 365 days. */
const MAX_SECONDS = 31_536_000;
/** Milliseconds for authorization's part. */
const DEADLINE_MS = 5_000;

export function sandboxService(deps: AdvanceDeps): BoundService {
  return bindService(SandboxServiceService, {
    access: SANDBOX_ACCESS,
    errors,
    handlers: {
      async advanceTestClock(request, call) {
        check(request);
        const { accountId, requestId, seconds } = request;
        const advance = { accountId, requestId, seconds, caller: requireCaller(call) };
        const wait = { deadlineMs: DEADLINE_MS, deadline: call.deadline };
        const { movedHolds, advancedSeconds, replayed } = await advanceTestClock(deps, advance, wait);
        return { movedHolds, advancedSeconds, replayed };
      },
    },
  });
}

/** Throws IDEMPOTENCY_KEY_REQUIRED, or INVALID_ARGUMENT with all violations. */
function check({ accountId, requestId, seconds }: AdvanceTestClockRequest): void {
  const violations = collectViolations(invalid);
  checkKey(violations, requestId);
  violations.require(isAccountId(accountId), 'account_id', 'must be the id of an account');
  violations.require(seconds >= 1 && seconds <= MAX_SECONDS, 'seconds', `must be 1 to ${MAX_SECONDS}`);
  violations.throwIfAny();
}
