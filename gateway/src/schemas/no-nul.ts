/** The pattern of text without the character NUL, which PostgreSQL cannot store. */
import { pattern } from './expected-words.ts';

export const NO_NUL = pattern('^[^\\u0000]*$', 'must not contain the character NUL');
