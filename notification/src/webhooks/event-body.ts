/** The body of a webhook: the event as `GET /v1/events/{id}` shows it to the owner of the endpoint. */
import { eventJson } from '@payflowx/proto/event-json';
import type { Event } from '@payflowx/proto/notification';

/** Amounts are at most 2^53 - 1, so a number has them exactly. */
export function eventBody(event: Event): string {
  return JSON.stringify(eventJson(event), (_, value) => (typeof value === 'bigint' ? Number(value) : value));
}
