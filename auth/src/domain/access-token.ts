/** The subject of an access token, and the time that a retired key stays published. */
import { ACCESS_TOKEN_LIFETIME_S, type Scope } from '@payflowx/chassis';
import type { UserRole } from './user.ts';

export interface Subject {
  /** The id of a user. */
  id: string;
  roles: readonly UserRole[];
  /** No token of the user begins earlier, because earlier ones are revoked. */
  tokensValidFrom?: Date | null;
  /** The login that the token belongs to. */
  session?: { id: string; loggedInAt: Date };
  /** The only thing that the token may be used for. The token then has no roles. */
  restrictedTo?: string | undefined;
  /** The API client that acts for the user, and its scopes. */
  client?: { id: string; scopes: readonly Scope[] };
}

/** Covers a token signed while its key retires, and clock differences between instances. */
const RETIREMENT_MARGIN_MS = 60_000;

/** Keys retired before this moment have signed no token that is still valid. */
export function oldestUsefulRetirement(now: Date): Date {
  return new Date(now.getTime() - ACCESS_TOKEN_LIFETIME_S * 1000 - RETIREMENT_MARGIN_MS);
}
