/**
 * Measures how far our clock is ahead of a sender's, from the send times in its messages. Deadlines inside a message are times of the
 * sender's clock, and must be converted.
 *
 * Our time minus the send time is the difference of the clocks plus the delay of the message. A message can lie unread for seconds
 * while this process is frozen. Its delay must not extend its deadlines. A real difference is in all messages, so the least value of
 * recent messages is the difference.
 */
import type { Call } from './server.ts';

export interface ClockSkew {
  /** Returns milliseconds to add to the deadlines of a message. 0 for a message without a send time. */
  aheadMs(sentAt: Date | undefined, call: Pick<Call, 'caller' | 'peer'>): number;
}

/** The least values of a sender's messages, in milliseconds. */
interface Observed {
  /** Of the period before, which may be long ago. */
  previous: number;
  /** Of the current period. */
  current: number;
  currentSince: number;
}

/**
 * A value counts during its period and the next one. A period ends with the first message after this time. So the value survives a
 * freeze or a pause of any length, and a change of the clocks is accepted after one to two periods of messages.
 */
const PERIOD_MS = 60_000;
/** A freeze delivers its messages together. Messages this soon after a sender's first one may have the same delay. */
const FIRST_PERIOD_MS = 1_000;
/** No call has a longer deadline, so a larger value at a sender's first message counts as a difference of the clocks. */
const LONGEST_DELAY_MS = 60_000;
/** When it is full, the sender that has been silent for longest is forgotten. */
const MAX_SENDERS = 1_000;

export function createClockSkew({ now }: { now: () => Date }): ClockSkew {
  /** Ordered by the latest message. */
  const senders = new Map<string, Observed>();

  return {
    aheadMs(sentAt, call) {
      if (!sentAt) return 0;
      const readAt = now().getTime();
      const value = readAt - sentAt.getTime();
      const sender = senderOf(call);
      const observed = next(senders.get(sender), value, readAt);
      senders.delete(sender);
      senders.set(sender, observed);
      if (senders.size > MAX_SENDERS) senders.delete(senders.keys().next().value as string);
      return Math.min(observed.previous, observed.current);
    },
  };
}

function next(observed: Observed | undefined, value: number, readAt: number): Observed {
  if (!observed)
    return {
      previous: firstGuess(value),
      current: value,
      currentSince: readAt - PERIOD_MS + FIRST_PERIOD_MS,
    };
  const { previous, current, currentSince } = observed;
  // Our clock may have been set back.
  const isOver = Math.abs(readAt - currentSince) >= PERIOD_MS;
  return isOver
    ? { previous: current, current: value, currentSince: readAt }
    : { previous, current: Math.min(current, value), currentSince };
}

/**
 * The difference that the first message of a sender shows. It can be a delay only if it is positive and below LONGEST_DELAY_MS. Then
 * the clocks count as equal during the first period. If they do differ, this period's items are refused as too late, and nothing is
 * started.
 */
function firstGuess(value: number): number {
  return value > 0 && value < LONGEST_DELAY_MS ? 0 : value;
}

/**
 * Processes on one address share a clock. The caller's id is a part of the key, so that no caller can change the deadlines of
 * another one by a wrong send time.
 */
function senderOf({ caller, peer }: Pick<Call, 'caller' | 'peer'>): string {
  return `${caller?.id} ${peer.replace(/:\d+$/, '')}`;
}
