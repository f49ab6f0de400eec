/** Words for patterns, because few readers can read a pattern. problems/validation-errors.ts uses them. */
const WORDS = new Map<string, string>();

/** Returns the pattern, and remembers what to say to a text that does not match it. */
export function pattern(source: string, words: string): string {
  WORDS.set(source, words);
  return source;
}

export function wordsFor(source: string): string | undefined {
  return WORDS.get(source);
}
