declare module 'spdx-satisfies' {
  /** Throws for an expression that is not SPDX. */
  export default function satisfies(expression: string, allowed: string[]): boolean;
}

declare module 'spdx-expression-parse' {
  /** Throws for an expression that is not SPDX. */
  export default function parse(expression: string): object;
}
