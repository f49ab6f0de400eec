/** Whom an access token speaks for and for how long. */
import type { Role } from './user.ts';

/** Short, because a token that was given can't be taken back. */
export const ACCESS_TOKEN_LIFETIME_S = 300;

export interface Subject {
  /** `usr_…` or an API client's id. */
  id: string;
  roles: readonly Role[];
}

/** A key that was retired before this moment has signed no token that is still valid. */
export function oldestUsefulRetirement(now: Date): Date {
  return new Date(now.getTime() - ACCESS_TOKEN_LIFETIME_S * 1000);
}
