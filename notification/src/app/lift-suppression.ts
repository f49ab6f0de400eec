/** Lets an address get mails again. */
import type { Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { NotificationError } from '../domain/errors.ts';
import type { Database } from '../store/database.ts';
import { deleteSuppression } from '../store/mail-suppressions.ts';

/** Throws SUPPRESSION_NOT_FOUND. */
export async function liftSuppression(
  { db, log }: { db: Kysely<Database>; log: Logger },
  { suppressionId, callerId }: { suppressionId: string; callerId: string },
): Promise<void> {
  const address = await deleteSuppression(db, suppressionId);
  if (address === undefined)
    throw new NotificationError('SUPPRESSION_NOT_FOUND', 'There is no such suppression.');
  log.info({ suppressionId, callerId }, 'a mail suppression was lifted');
}
