/** Reads the newest head of the sealed journal. */
import { LedgerError } from '../domain/errors.ts';
import type { SealedHead } from '../domain/sealed-head.ts';
import { findNewestHead } from '../store/seals.ts';
import type { AccessDeps } from './account-access.ts';

/** Throws NOTHING_SEALED. */
export async function getSealedHead({ db }: Pick<AccessDeps, 'db'>): Promise<SealedHead> {
  const head = await findNewestHead(db);
  if (head) return head;
  throw new LedgerError('NOTHING_SEALED', 'Nothing is sealed yet.');
}
