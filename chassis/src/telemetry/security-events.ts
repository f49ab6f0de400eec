/**
 * Log lines about security, each with a stable name in `security_event`. docs/operators/security-events.md says what to do about each.
 * They never contain a password, a token or a secret.
 */
import type { Logger } from './log.ts';
import { counter } from './metrics.ts';
import { outsideRequests } from './trace.ts';

const MESSAGES = {
  login_failed: 'a login with a wrong name or password',
  login_throttled: 'a login was refused because of earlier failures',
  second_factor_failed: 'a login with a right password and a wrong second factor',
  passkey_counter_went_back:
    'a passkey may have been copied: its counter went back, and the login was refused',
  client_login_failed: 'a login of an API client with a wrong secret',
  refresh_refused: 'a refresh token was refused',
  refresh_token_reused: 'a used refresh token was used again: its family is revoked',
  token_refused: 'an access token was refused',
  access_refused: 'a caller was refused',
  rate_limited: 'a caller sent too many requests',
} as const;
export type SecurityEvent = keyof typeof MESSAGES;

/** Undefined fields are left out of the line. */
export interface SecurityFacts {
  /** The user or service, if it is known. A name that no user has is left out: people type passwords in its place. */
  subject?: string | undefined;
  /** The API client that acted for the subject. */
  client_id?: string | undefined;
  /** The route or the RPC. */
  route?: string | undefined;
  /** The IP address of the caller. */
  address?: string | undefined;
  /** The code or reason that the caller got. */
  reason?: string | undefined;
  /** The reason that the caller does not get. */
  detail?: string | undefined;
  request_id?: string | undefined;
  trace_id?: string | undefined;
  family_id?: string | undefined;
}

export interface SecurityEvents {
  record(event: SecurityEvent, facts: SecurityFacts): void;
}

/** A flood must not fill the disk. Beyond this number, the lines of an event are counted, and the count is logged after the second. */
export const LINES_PER_SECOND = 10;
const WINDOW_MS = 1_000;

const recorded = counter('payflowx.security_events', {
  description: 'Refusals by kind: failed logins, throttled callers, refused tokens and others',
});

/** A process has one log. All of its parts that record events share one limit. */
const eventsOfLogs = new WeakMap<Logger, SecurityEvents>();

export function securityEventsOf(log: Logger): SecurityEvents {
  const events = eventsOfLogs.get(log) ?? createSecurityEvents(log);
  eventsOfLogs.set(log, events);
  return events;
}

function createSecurityEvents(log: Logger): SecurityEvents {
  /** The events since the first one of the current second. */
  const counts: Partial<Record<SecurityEvent, number>> = {};

  const endWindow = (event: SecurityEvent) => {
    const suppressed = (counts[event] ?? 0) - LINES_PER_SECOND;
    delete counts[event];
    if (suppressed > 0) log.warn({ security_event: event, suppressed }, 'more of a security event');
  };
  return {
    record(event, facts) {
      recorded.add(1, { event });
      const count = counts[event] ?? 0;
      counts[event] = count + 1;
      if (count === 0) outsideRequests(() => setTimeout(endWindow, WINDOW_MS, event).unref());
      if (count < LINES_PER_SECOND) log.warn({ security_event: event, ...facts }, MESSAGES[event]);
    },
  };
}
