/** Collects all violations of a request, so that the caller gets them at once. */
import { AuthorizationError, type Violation } from '../domain/errors.ts';

export interface Violations {
  /** Adds a violation of the field unless the condition holds. */
  require(condition: boolean, field: string, description: string): void;
  /** Throws INVALID_ARGUMENT if there is any violation. */
  throwIfAny(): void;
}

export function collectViolations(): Violations {
  const violations: Violation[] = [];
  return {
    require(condition, field, description) {
      if (!condition) violations.push({ field, description });
    },
    throwIfAny() {
      if (violations.length === 0) return;
      throw new AuthorizationError('INVALID_ARGUMENT', 'The request is not valid.', { violations });
    },
  };
}

/** Counts Unicode code points. Postgres cannot store NUL. */
export function requireText(violations: Violations, field: string, text: string, max: number): void {
  const fits = text.length <= max || (text.length <= 2 * max && [...text].length <= max);
  violations.require(fits, field, `must be at most ${max} characters`);
  violations.require(!text.includes('\0'), field, 'must not contain the character NUL');
}
