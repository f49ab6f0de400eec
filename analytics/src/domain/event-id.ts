/** The time inside an event's id. Ids are `evt_` and a UUIDv7, whose first 48 bits are milliseconds (RFC 9562), so they sort by time. */

/** Milliseconds since 1970. */
export function timeOf(eventId: string): number {
  // The second dash, which ends the 48 bits, ends the number too.
  return Number.parseInt(eventId.slice('evt_'.length).replace('-', ''), 16);
}

/** A text that sorts before all ids of this and later milliseconds, and after all earlier ids. */
export function firstIdAt(timeMs: number): string {
  const hex = timeMs.toString(16).padStart(12, '0');
  return `evt_${hex.slice(0, 8)}-${hex.slice(8)}`;
}
