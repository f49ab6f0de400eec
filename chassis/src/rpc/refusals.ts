/** Records refused tokens and refused callers as security events. */
import { status } from '@grpc/grpc-js';
import type { SecurityEvents } from '../telemetry/security-events.ts';
import type { Caller } from './caller.ts';
import { CallError } from './errors.ts';

export interface RefusedCall {
  /** The path of the RPC. */
  route: string;
  address: string;
  /** Undefined if the call was refused before its token was verified. */
  caller: Caller | undefined;
}

/** Other errors than refusals are ignored. */
export function recordRefusal(
  events: SecurityEvents,
  error: unknown,
  code: status,
  { route, address, ...call }: RefusedCall,
): void {
  const { reason } = error as { reason?: string };
  if (code === status.PERMISSION_DENIED) {
    const caller = (error instanceof CallError ? error.caller : undefined) ?? call.caller;
    const who = { subject: caller?.id, client_id: caller?.clientId };
    events.record('access_refused', { reason, ...who, route, address });
  } else if (error instanceof CallError && error.reason === 'UNAUTHENTICATED') {
    recordRefusedToken(events, error, { route, address });
  }
}

/** `detail` is the reason of the JWT library, such as FAST_JWT_EXPIRED. Callers get the same error for all of them. */
export function recordRefusedToken(
  events: SecurityEvents,
  { cause }: { cause?: unknown },
  place: Pick<RefusedCall, 'route' | 'address'>,
): void {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const detail = typeof code === 'string' ? code : undefined;
  events.record('token_refused', { reason: 'UNAUTHENTICATED', detail, ...place });
}
