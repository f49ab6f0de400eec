/**
 * The magic references of the sandbox. With SANDBOX=on, the `reference` of a payment chooses how it goes. Each service reads the same
 * words, and acts on its own ones. Without SANDBOX=on no service reads them.
 */
import { DECLINES, type DeclineCode } from './declines.ts';

/** Declines of captures and expiries. A new payment has no hold, so it cannot have them. */
const STEP_DECLINES = ['HOLD_NOT_OPEN', 'CAPTURE_EXCEEDS_HOLD', 'HOLD_NOT_EXPIRED'] as const;
type StepDecline = (typeof STEP_DECLINES)[number];

export type PlayedDecline = Exclude<DeclineCode, StepDecline>;

/** The codes of `sandbox:decline:<CODE>`: every decline that a new payment may have. */
export const PLAYED_DECLINES = Object.keys(DECLINES).filter(
  (code) => !(STEP_DECLINES as readonly string[]).includes(code),
) as PlayedDecline[];

/** The statuses of `sandbox:status:<status>`. */
export const PLAYED_STATUSES = [429, 503] as const;
export type PlayedStatus = (typeof PLAYED_STATUSES)[number];

/** The longest `sandbox:unknown:<seconds>`. */
export const MAX_UNKNOWN_S = 60;
/** The longest `sandbox:slow:<ms>`. */
export const MAX_SLOW_MS = 30_000;
/** The most attempts of `sandbox:webhook:fail:<attempts>`. */
export const MAX_FAILED_ATTEMPTS = 5;

export type MagicReference =
  | { kind: 'decline'; code: PlayedDecline }
  | { kind: 'unknown'; seconds: number }
  | { kind: 'status'; status: PlayedStatus }
  | { kind: 'slow'; ms: number }
  | { kind: 'webhook'; failedAttempts: number };

const PREFIX = 'sandbox:';

/** True for a text that readMagicReference may know. It is cheap, because every payment of a sandbox is asked. */
export function isMagic(reference: string): boolean {
  return reference.startsWith(PREFIX);
}

/** Undefined for an ordinary text, also for one that begins with `sandbox:` and goes on with unknown words. */
export function readMagicReference(reference: string): MagicReference | undefined {
  if (!isMagic(reference)) return undefined;
  const words = reference.slice(PREFIX.length);
  const [, name = '', value = ''] = /^(decline|unknown|status|slow|webhook:fail):(\w+)$/.exec(words) ?? [];
  switch (name) {
    case 'decline': {
      const code = PLAYED_DECLINES.find((each) => each === value);
      return code && { kind: 'decline', code };
    }
    case 'unknown': {
      const seconds = wholeNumber(value, MAX_UNKNOWN_S);
      return seconds === undefined ? undefined : { kind: 'unknown', seconds };
    }
    case 'status': {
      const status = PLAYED_STATUSES.find((each) => `${each}` === value);
      return status && { kind: 'status', status };
    }
    case 'slow': {
      const ms = wholeNumber(value, MAX_SLOW_MS);
      return ms === undefined ? undefined : { kind: 'slow', ms };
    }
    case 'webhook:fail': {
      const failedAttempts = wholeNumber(value, MAX_FAILED_ATTEMPTS);
      return failedAttempts === undefined ? undefined : { kind: 'webhook', failedAttempts };
    }
    default:
      return undefined;
  }
}

/** A number from 1 to `max`. */
function wholeNumber(text: string, max: number): number | undefined {
  if (!/^[1-9]\d{0,5}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= max ? number : undefined;
}
