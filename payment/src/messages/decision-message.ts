/** Translates authorization's decision to the parts that the state machine uses. */
import { newId } from '@payflowx/chassis';
import { Decision as DecisionMessage, MovementKind, Outcome } from '@payflowx/proto/authorization';
import type { Decision, Movement } from '../domain/payment.ts';

export function toDecision(message: DecisionMessage): Decision {
  const { outcome, code, fromOwnerId, toOwnerId } = message;
  if (outcome === Outcome.UNSPECIFIED)
    throw new Error('A decision of authorization is neither approved nor declined.');
  return {
    failure: outcome === Outcome.APPROVED ? undefined : { code, message: message.message },
    movements: message.movements.map(({ kind, ...movement }) => ({
      ...movement,
      kind: toMovementKind(kind),
    })),
    fromOwnerId: fromOwnerId || undefined,
    toOwnerId: toOwnerId || undefined,
    holdExpiresAt: message.holdExpiresAt,
    eventId: eventIdOf(message),
    decidedAt: requireTime(message),
    record: DecisionMessage.encode(message).finish(),
  };
}

/** Returns a stored decision. `eventId` is the id of the event that announced it, and `record` its stored bytes. */
export function storedDecision(record: Uint8Array, eventId: string): Decision {
  return { ...toDecision(DecisionMessage.decode(record)), eventId, record };
}

/** Ledger entries sort by time and event id. With the decision's UUID they keep the order in which the balances changed. */
function eventIdOf({ id }: DecisionMessage): string {
  // Decisions of earlier versions have no id.
  return id === '' ? newId('evt') : id.replace(/^dec_/, 'evt_');
}

function requireTime({ decidedAt }: DecisionMessage): Date {
  if (!decidedAt) throw new Error('A decision of authorization has no time.');
  return decidedAt;
}

function toMovementKind(kind: MovementKind): Movement['kind'] {
  switch (kind) {
    case MovementKind.HOLD:
      return 'HOLD';
    case MovementKind.RELEASE:
      return 'RELEASE';
    case MovementKind.TRANSFER:
      return 'TRANSFER';
    default:
      throw new Error(`Authorization returned an unknown kind of movement: ${kind}.`);
  }
}
