/**
 * Errors with a reason, and the checks of requests that throw them. Pure, and an entry of its own, so that the domain of a service
 * can import it.
 */

export interface Violation {
  /** Path of the field in the request, dot-separated, snake_case. */
  field: string;
  description: string;
}

export interface ErrorDetails {
  metadata?: Readonly<Record<string, string>> | undefined;
  violations?: readonly Violation[] | undefined;
  /** The caller may retry after this time. */
  retryAfterMs?: number | undefined;
  /** The reason that only the log contains. */
  cause?: unknown;
}

/** The base of each service's own error class. Reasons are UPPER_SNAKE and stable. Callers see the message and the details. */
export class ReasonedError<R extends string = string> extends Error {
  override readonly name: string;
  readonly reason: R;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly violations: readonly Violation[] | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(reason: R, message: string, { metadata, violations, retryAfterMs, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.reason = reason;
    this.metadata = metadata;
    this.violations = violations;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Collects all violations of a request, so that the caller gets them at once. */
export interface Violations {
  /** Adds a violation of the field unless the condition holds. */
  require(condition: boolean, field: string, description: string): void;
  /** Adds a violation if the text is longer than `max`, or cannot be stored. */
  requireText(field: string, text: string, max: number): void;
  /** Throws the error that `fail` makes of the violations, if there are any. */
  throwIfAny(): void;
}

export function collectViolations(fail: (violations: readonly Violation[]) => Error): Violations {
  const violations: Violation[] = [];
  return {
    require(condition, field, description) {
      if (!condition) violations.push({ field, description });
    },
    requireText(field, text, max) {
      const description = textProblem(text, max);
      if (description !== undefined) violations.push({ field, description });
    },
    throwIfAny() {
      if (violations.length > 0) throw fail(violations);
    },
  };
}

/** The rule for texts of all services. It counts code points, as JSON Schema does. Postgres cannot store NUL. */
export function textProblem(text: string, max: number): string | undefined {
  if (text.length > max && (text.length > 2 * max || [...text].length > max)) {
    return `must be at most ${max} characters`;
  }
  return text.includes('\0') ? 'must not contain the character NUL' : undefined;
}
