/** The contract of DeadLetterService, and the sources of dead letters with the service that owns each. */
export * from '../gen/payflowx/deadletters/v1/dead_letter.ts';

/**
 * By source, the number in the ids of its dead letters, and the service that lists them. A topic's dead letters belong to its only
 * producer, a queue's to its consumer, and refused events to the service whose outbox they come from.
 */
export const DEAD_LETTER_SOURCES = {
  'payment-events': { number: 1, service: 'payment' },
  'payment-outbox': { number: 2, service: 'payment' },
  'payment-notifications': { number: 3, service: 'notification' },
  'identity-notifications': { number: 4, service: 'notification' },
  'auth-outbox': { number: 5, service: 'auth' },
} as const;

export type DeadLetterSourceName = keyof typeof DEAD_LETTER_SOURCES;
export const DEAD_LETTER_SOURCE_NAMES = Object.keys(DEAD_LETTER_SOURCES) as DeadLetterSourceName[];

/** Returns the id of a dead letter of this source. `hex` has 22 digits, which are unique in the source. */
export function deadLetterId(source: DeadLetterSourceName, hex: string): string {
  const number = DEAD_LETTER_SOURCES[source].number.toString(16).padStart(8, '0');
  // A UUID of version 8: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
  return `dl_${number}-${hex.slice(0, 4)}-8${hex.slice(4, 7)}-8${hex.slice(7, 10)}-${hex.slice(10, 22)}`;
}

/** Returns the source and the 22 digits of an id, or undefined if it is no id of a dead letter. */
export function parseDeadLetterId(id: string): { source: DeadLetterSourceName; hex: string } | undefined {
  const [, number = '', a, b, c, d] =
    /^dl_([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f]{3})-8([0-9a-f]{3})-([0-9a-f]{12})$/.exec(id) ?? [];
  const known = DEAD_LETTER_SOURCE_NAMES.find(
    (name) => DEAD_LETTER_SOURCES[name].number === Number.parseInt(number, 16),
  );
  return known && { source: known, hex: `${a}${b}${c}${d}` };
}
