/** Formats of text that no pattern can say. server.ts tells Ajv of them; readers of the document learn them from descriptions. */
import { Type } from 'typebox';

const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;

/** Whether there is such a zone, aliases such as US/Eastern included; `Intl.supportedValuesOf` leaves them out. */
function isTimeZone(name: string): boolean {
  if (!ZONE_NAME.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Whether people can read it: no control characters or others that have no form, and not only blanks. */
function isPrintable(text: string): boolean {
  return /^\P{C}*$/u.test(text) && text.trim() !== '';
}

export const FORMATS = { 'iana-time-zone': isTimeZone, 'printable-text': isPrintable };

export const timeZone = (description: string) =>
  Type.String({
    format: 'iana-time-zone',
    pattern: ZONE_NAME.source,
    description,
    examples: ['Europe/Berlin'],
  });

export const printableText = (maxLength: number, description: string, example: string) =>
  Type.String({ format: 'printable-text', minLength: 1, maxLength, description, examples: [example] });
