/** The author of a change, as audit records store it. */
import { type Call, requireCaller } from '@payflowx/chassis';
import type { Actor } from '../domain/audit.ts';

export function actorOf(call: Call): Actor {
  const { id, clientId } = requireCaller(call);
  return { id, clientId, traceId: call.trace.traceId, callId: call.id };
}
