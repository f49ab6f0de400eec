/** The error of an expression, with its place. */
export class ExpressionError extends Error {
  override readonly name: string = 'ExpressionError';

  constructor({ input, start }: { input: string; start: number }, problem: string) {
    super(`${placeOf(input, start)}: ${problem}`);
  }
}

/** A text that the payer writes, and its place in an expression. */
export interface PayerText {
  readonly name: string;
  readonly input: string;
  readonly start: number;
}

export class PayerTextError extends ExpressionError {
  override readonly name = 'PayerTextError';

  constructor(text: PayerText) {
    super(text, `an ALLOW rule cannot read ${text.name}: the payer writes it`);
  }
}

/** Line and column count from 1, in Unicode characters. */
export function placeOf(input: string, offset: number): string {
  const lines = input.slice(0, offset).split('\n');
  const column = [...(lines.at(-1) ?? '')].length + 1;
  return `line ${lines.length}, column ${column}`;
}
