/** The language of a person who chose none. */
import type { Language } from '@payflowx/proto/vocabulary';

export const DEFAULT_LANGUAGE: Language = 'en';
