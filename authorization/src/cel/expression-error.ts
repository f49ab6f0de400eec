/** The error of an expression, with its place. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';

  constructor({ input, start }: { input: string; start: number }, problem: string) {
    super(`${placeOf(input, start)}: ${problem}`);
  }
}

/** Line and column count from 1, in Unicode characters. */
export function placeOf(input: string, offset: number): string {
  const lines = input.slice(0, offset).split('\n');
  const column = [...(lines.at(-1) ?? '')].length + 1;
  return `line ${lines.length}, column ${column}`;
}
