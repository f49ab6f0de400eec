/** Whom an access token speaks for and for how long. */
import { ACCESS_TOKEN_LIFETIME_S, type Scope } from '@payflowx/chassis';
import type { Role } from './user.ts';

export interface Subject {
  /** A user's id or that of one of the platform's services. */
  id: string;
  roles: readonly Role[];
  /** The API client that acts for the user, and what for. */
  client?: { id: string; scopes: readonly Scope[] };
}

/** For the token that is being signed while its key retires, and for instances whose clocks differ. */
const RETIREMENT_MARGIN_MS = 60_000;

/** A key that was retired before this moment has signed no token that is still valid. */
export function oldestUsefulRetirement(now: Date): Date {
  return new Date(now.getTime() - ACCESS_TOKEN_LIFETIME_S * 1000 - RETIREMENT_MARGIN_MS);
}
