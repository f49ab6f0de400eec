/** What is wrong with an expression, and where. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';

  constructor({ input, start }: { input: string; start: number }, problem: string) {
    super(`${placeOf(input, start)}: ${problem}`);
  }
}

/** Line and column as a person counts them: from 1, and a character is a character. */
export function placeOf(input: string, offset: number): string {
  const lines = input.slice(0, offset).split('\n');
  const column = [...(lines.at(-1) ?? '')].length + 1;
  return `line ${lines.length}, column ${column}`;
}
