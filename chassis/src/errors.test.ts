import { expect, it } from 'vitest';
import { collectViolations, ReasonedError, textProblem } from './errors.ts';

class FakeError extends ReasonedError<'BAD' | 'WORSE'> {}

const TOO_LONG = 'must be at most 3 characters';
const NUL = 'must not contain the character NUL';

it.each([
  ['', undefined],
  ['abc', undefined],
  ['abcd', TOO_LONG],
  // Characters of two code units.
  ['💶💶💶', undefined],
  ['💶💶💶💶', TOO_LONG],
  // More code units than any text of three characters.
  ['abcdefg', TOO_LONG],
  ['a\0', NUL],
  ['a\0bc', TOO_LONG],
])('the text %j, of at most three characters: %s', (text, problem) => {
  expect(textProblem(text, 3)).toBe(problem);
});

it('all violations are one error, and none is no error', () => {
  const fail = (violations: object) => new FakeError('BAD', 'No.', { violations: violations as never });
  const good = collectViolations(fail);
  good.require(true, 'a', 'must be good');
  good.requireText('b', 'abc', 3);
  expect(() => good.throwIfAny()).not.toThrow();
  const bad = collectViolations(fail);
  bad.require(false, 'a', 'must be good');
  bad.requireText('b', 'abcd', 3);
  bad.requireText('c', 'abc', 3);
  const violations = [
    { field: 'a', description: 'must be good' },
    { field: 'b', description: TOO_LONG },
  ];
  expect(() => bad.throwIfAny()).toThrow(new FakeError('BAD', 'No.', { violations }));
});

it('an error has the name of its class, its reason and its details', () => {
  const cause = new Error('why');
  const details = { metadata: { a: 'b' }, retryAfterMs: 5, cause };
  const error = new FakeError('WORSE', 'No.', details);
  expect({ ...error, message: error.message, cause: error.cause }).toEqual({
    ...details,
    name: 'FakeError',
    reason: 'WORSE',
    message: 'No.',
    violations: undefined,
  });
  expect(new FakeError('BAD', 'No.')).not.toHaveProperty('cause');
});
