/** TestClockService: moves the times of one account forward. It is served only with SANDBOX=on. */
import { type BoundService, bindService, type Call, collectViolations, newId } from '@payflowx/chassis';
import { type AdvanceAccountRequest, TestClockServiceService } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { type AdvanceCommand, advanceAccount } from '../app/advance-account.ts';
import { invalid } from '../domain/errors.ts';
import { MAX_ADVANCE_S } from '../domain/test-clock.ts';
import { rolesOf } from '../messages/step-message.ts';
import type { Database } from '../store/database.ts';
import { TEST_CLOCK_ACCESS } from './access.ts';
import { ERRORS } from './errors.ts';

interface TestClockServiceDeps {
  db: Kysely<Database>;
  now: () => Date;
}

export function testClockService({ db, now }: TestClockServiceDeps): BoundService {
  const deps = { db, now, newAuditId: () => newId('aud') };
  return bindService(TestClockServiceService, {
    access: TEST_CLOCK_ACCESS,
    errors: ERRORS,
    handlers: {
      async advanceAccount(request, call) {
        const { holds, advance, replayed } = await advanceAccount(deps, toAdvance(request, call));
        return {
          holds,
          movedHolds: advance.movedHolds,
          advancedSeconds: BigInt(advance.totalS),
          replayed,
        };
      },
    },
  });
}

/** Throws INVALID_ARGUMENT with all violations. */
function toAdvance(request: AdvanceAccountRequest, { trace, id: callId }: Call): AdvanceCommand {
  const { accountId, requestId, seconds, callerId, clientId } = request;
  const violations = collectViolations(invalid);
  violations.require(
    /^[\x21-\x7e]{1,255}$/.test(requestId),
    'request_id',
    'must be 1 to 255 visible ASCII characters',
  );
  violations.require(callerId !== '', 'caller_id', 'must be given');
  violations.require(seconds >= 1 && seconds <= MAX_ADVANCE_S, 'seconds', `must be 1 to ${MAX_ADVANCE_S}`);
  violations.throwIfAny();
  const origin = { callerId, clientId: clientId || undefined, traceId: trace.traceId, callId };
  return { origin, callerRoles: rolesOf(request), accountId, requestId, seconds };
}
