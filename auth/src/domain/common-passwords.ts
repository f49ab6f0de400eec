/** Recognizes passwords that attackers try first (NIST SP 800-63B, 3.1.1.2). */
import { dictionary } from '@zxcvbn-ts/language-common';

/** Some 50,000 passwords of published thefts, in lower case. */
const COMMON: ReadonlySet<string> = new Set(dictionary['passwords-common']);
const ENDS = /^[^a-z]+|[^a-z]+$/g;
/** Shorter words are parts of good passphrases too. */
const WORD_MIN = 6;

/**
 * True for a common password, also if it is repeated, or if digits and signs surround it. Length is checked elsewhere, so most short
 * ones never get here.
 */
export function isCommonPassword(password: string): boolean {
  const lower = password.toLowerCase();
  const word = lower.replace(ENDS, '');
  if (COMMON.has(lower) || (word.length >= WORD_MIN && COMMON.has(word))) return true;
  const unit = repeatedUnit(lower);
  return unit !== undefined && (unit.length < WORD_MIN || COMMON.has(unit));
}

/** The text whose repetition is the whole: `abcabc` gives `abc`. A text is found in its double before its end only if it repeats. */
function repeatedUnit(text: string): string | undefined {
  const length = (text + text).indexOf(text, 1);
  return length < text.length ? text.slice(0, length) : undefined;
}
