/** What a dead letter says about itself, on Kafka and on RabbitMQ alike. Everything else of it is as it came. */

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

/** RabbitMQ's own marks of a dead letter. Sent again with them, a message would arrive with a history that is over. */
const BROKER_MARKS = /^x-(death|first-death-|last-death-|delivery-count)/;

/** The headers as they were before the message became a dead letter. */
export function withoutDeadLetterHeaders<V>(headers: Record<string, V>): Record<string, V> {
  const kept = Object.entries(headers).filter(
    ([name]) => !name.startsWith(PREFIX) && !BROKER_MARKS.test(name),
  );
  return Object.fromEntries(kept);
}

/** One line for a header: the stack is in the log. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll('\n', ' ').slice(0, 500);
}
