/** Accounts for unit tests of decisions. */
import { type Account, NO_LIMITS } from './account.ts';
import { NEVER_USED } from './usage.ts';

export const account = (id: string, change: Partial<Account> = {}): Account => ({
  id,
  ownerId: `usr_${id}`,
  currency: 'EUR',
  isExternal: false,
  state: 'ACTIVE',
  limits: NO_LIMITS,
  timeZone: 'UTC',
  posted: 0n,
  held: 0n,
  usage: NEVER_USED,
  createdAt: new Date(0),
  decidedAt: undefined,
  ...change,
});
