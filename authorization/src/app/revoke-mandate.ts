/** Revokes a mandate for its payer, or for an operator: the payer may have lost its access. */
import type { Caller, Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { AuthorizationError } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import type { FoundMandate } from '../domain/mandate.ts';
import type { Database } from '../store/database.ts';
import { lockMandate, storeRevocation } from '../store/mandates.ts';
import { mandateNotFound, maySeeMandate } from './read-mandates.ts';

/**
 * Returns the revoked mandate. One that is revoked stays unchanged, so a retry needs no key. It takes the lock of decisions on the payer's
 * account, so each payment is decided either before the revocation or with it.
 *
 * Throws MANDATE_NOT_FOUND, also for a mandate of others, and ACTION_NOT_ALLOWED for the payee.
 */
export function revokeMandate(
  { db, now }: { db: Kysely<Database>; now: () => Date },
  caller: Caller,
  { mandateId, origin }: { mandateId: string; origin: Origin },
): Promise<FoundMandate> {
  if (!isId(mandateId)) throw mandateNotFound();
  return inTransaction(db, async (trx) => {
    const found = await lockMandate(trx, mandateId);
    if (!found || !maySeeMandate(caller, found.mandate)) throw mandateNotFound();
    const { mandate } = found;
    if (mandate.fromOwnerId !== caller.id && !caller.roles.includes('operator')) {
      throw new AuthorizationError('ACTION_NOT_ALLOWED', 'Only the payer and operators may do this.', {
        metadata: { allowed: 'payer' },
      });
    }
    if (mandate.revokedAt !== undefined) return found;
    const at = now();
    await storeRevocation(trx, mandate, { at, by: origin });
    return { ...found, mandate: { ...mandate, revokedAt: at, revokedBy: origin } };
  });
}
