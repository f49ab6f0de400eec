/**
 * Text formats that a pattern cannot express. server.ts registers them at Ajv. Readers of the document find them in descriptions.
 */
import { Type } from 'typebox';

const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;

/** Returns true if the time zone exists. Accepts aliases such as US/Eastern, which `Intl.supportedValuesOf` leaves out. */
function isTimeZone(name: string): boolean {
  if (!ZONE_NAME.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Returns true if people can read the text: it has no control or other invisible characters, and is not only blanks. */
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
