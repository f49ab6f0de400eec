/** Headers that a dead letter gets, on Kafka and on RabbitMQ. The rest of the message is unchanged. */

const PREFIX = 'dead-letter-';

export const DEAD_LETTER_HEADERS = {
  /** UNDECODABLE or REJECTED. */
  reason: `${PREFIX}reason`,
  error: `${PREFIX}error`,
  topic: `${PREFIX}topic`,
  partition: `${PREFIX}partition`,
  offset: `${PREFIX}offset`,
  queue: `${PREFIX}queue`,
  time: `${PREFIX}time`,
} as const;

/**
 * RabbitMQ's own headers of a dead letter. They are removed before it is sent again, because its old history no longer applies.
 */
const BROKER_HEADERS = /^x-(death|first-death-|last-death-|delivery-count)/;

/** Returns the headers of the message before it became a dead letter. */
export function withoutDeadLetterHeaders<V>(headers: Record<string, V>): Record<string, V> {
  const kept = Object.entries(headers).filter(
    ([name]) => !name.startsWith(PREFIX) && !BROKER_HEADERS.test(name),
  );
  return Object.fromEntries(kept);
}

/** Describes an error in one line, for a header. The stack is in the log. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll('\n', ' ').slice(0, 500);
}
