/**
 * Moves the times of one account forward. Authorization decides by its own copies of them, so it moves first, and this service takes over
 * what authorization then has. A request that ends between the two is repeated with the same key. Only with SANDBOX=on.
 */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Wait } from '../clients/authorization.ts';
import type { Advanced, AdvanceRequest, TestClock } from '../clients/test-clock.ts';
import type { Database } from '../store/database.ts';
import { moveHoldEnds } from '../store/hold-ends.ts';
import { inProgress } from './idempotency.ts';

export interface AdvanceDeps {
  db: Kysely<Database>;
  testClock: Pick<TestClock, 'advance'>;
}

/**
 * The expiry worker then finds the holds that are past their end, as it finds every hold. Other times of an account that this service
 * keeps are to be moved here, in the same transaction.
 *
 * Throws ACCOUNT_NOT_FOUND, also for an account of another owner, IDEMPOTENCY_KEY_REUSED, TOO_MANY_HOLDS, INVALID_ARGUMENT,
 * AUTHORIZATION_UNAVAILABLE, and IDEMPOTENCY_IN_PROGRESS if one of the payments has no stored outcome yet.
 */
export async function advanceTestClock(
  { db, testClock }: AdvanceDeps,
  request: AdvanceRequest,
  wait: Wait,
): Promise<Advanced> {
  const advanced = await testClock.advance(request, wait);
  const undecided = await inTransaction(db, (trx) => moveHoldEnds(trx, advanced.holds));
  // Its outcome will be stored with the old end of its hold.
  if (undecided > 0) throw inProgress();
  return advanced;
}
