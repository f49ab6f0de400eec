/** Time zones by their IANA names. */
import { Type } from 'typebox';

const NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;

/** Whether there is such a zone, aliases such as US/Eastern included; `Intl.supportedValuesOf` leaves them out. */
export function isTimeZone(name: string): boolean {
  if (!NAME.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The name under which server.ts tells Ajv of isTimeZone. */
export const TIME_ZONE_FORMAT = 'iana-time-zone';

export const timeZone = (description: string) =>
  Type.String({
    format: TIME_ZONE_FORMAT,
    pattern: NAME.source,
    description,
    examples: ['Europe/Berlin'],
  });
