/** The steps of payments that users are notified of. */

/** The events that a side may be notified of. */
export const NOTIFIED_EVENTS = [
  'payment.authorized',
  'payment.captured',
  'payment.completed',
  'payment.failed',
  'payment.cancelled',
  'payment.expired',
  'payment.refunded',
] as const;
export type NotifiedEvent = (typeof NOTIFIED_EVENTS)[number];

/** Users are not notified of a payment without an outcome. */
export type EventType = 'payment.initiated' | NotifiedEvent;
