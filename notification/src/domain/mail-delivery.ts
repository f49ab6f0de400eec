/** Decides what follows from one attempt to send a mail. Pure. */

/** The result of an attempt. */
export type Attempt =
  /** The server has taken responsibility for the mail. */
  | { result: 'accepted' }
  /** The server refused the address for ever: 5xx to RCPT. */
  | { result: 'address refused'; response: string }
  /** The server refused this mail for ever: 5xx to MAIL or DATA. */
  | { result: 'mail refused'; response: string }
  /** There was no definite answer, or a temporary one. */
  | { result: 'unavailable'; error: string }
  /** The mail is no longer wanted. */
  | { result: 'not sent'; reason: SkipReason };

export type SkipReason = 'NO_CONFIRMED_ADDRESS' | 'ADDRESS_SUPPRESSED' | 'CONFIRMATION_SUPERSEDED';
export type FailReason = 'ADDRESS_REFUSED' | 'MAIL_REFUSED' | 'TOO_MANY_ATTEMPTS';

export interface Conclusion {
  state: 'pending' | 'sent' | 'failed' | 'skipped';
  reason: SkipReason | FailReason | null;
  lastError: string | null;
  attempts: number;
  /** Undefined if there is no further attempt. */
  retryAfterS: number | undefined;
}

const FIRST_PAUSE_S = 30;
const LONGEST_PAUSE_S = 4 * 60 * 60;
/** With the pauses above, the last attempt is about 28 hours after the first. */
export const MAX_ATTEMPTS = 16;
/** A server may answer with any number of lines. */
const MAX_ERROR_LENGTH = 500;

/** `earlier` is the number of attempts before this one. */
export function conclude(earlier: number, attempt: Attempt): Conclusion {
  const attempts = earlier + 1;
  const ended = { lastError: null, attempts, retryAfterS: undefined };
  switch (attempt.result) {
    case 'accepted':
      return { ...ended, state: 'sent', reason: null };
    case 'not sent':
      return { ...ended, attempts: earlier, state: 'skipped', reason: attempt.reason };
    case 'address refused':
      return { ...ended, state: 'failed', reason: 'ADDRESS_REFUSED', lastError: shortened(attempt.response) };
    case 'mail refused':
      return { ...ended, state: 'failed', reason: 'MAIL_REFUSED', lastError: shortened(attempt.response) };
    case 'unavailable': {
      const lastError = shortened(attempt.error);
      if (attempts >= MAX_ATTEMPTS)
        return { ...ended, state: 'failed', reason: 'TOO_MANY_ATTEMPTS', lastError };
      return { ...ended, state: 'pending', reason: null, lastError, retryAfterS: pauseAfter(attempts) };
    }
  }
}

/** Doubles with each attempt. */
function pauseAfter(attempts: number): number {
  return Math.min(FIRST_PAUSE_S * 2 ** (attempts - 1), LONGEST_PAUSE_S);
}

function shortened(text: string): string {
  return text.slice(0, MAX_ERROR_LENGTH);
}
