/** The pattern of text without the character NUL, which PostgreSQL cannot store. */
export const NO_NUL = '^[^\\u0000]*$';
