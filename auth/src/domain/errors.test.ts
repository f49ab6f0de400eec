import { expect, it } from 'vitest';
import { AuthError, invalid, invalidCredentials, invalidRefreshToken, tooManyLogins } from './errors.ts';

it('a failed login says only that it failed', () => {
  expect(invalidCredentials()).toEqual(
    new AuthError('INVALID_CREDENTIALS', 'The name or the password is wrong.'),
  );
  expect(invalidRefreshToken()).toEqual(
    new AuthError('INVALID_REFRESH_TOKEN', 'The refresh token is not valid. Log in again.'),
  );
  expect(tooManyLogins(5)).toEqual(
    new AuthError('TOO_MANY_LOGINS', 'Too many logins. Try again later.', { retryAfterMs: 5 }),
  );
  expect(tooManyLogins(0)).toMatchObject({ name: 'AuthError', retryAfterMs: 0 });
});

it('a refusal has all violations, in its message too', () => {
  const violations = [
    { field: 'a', description: 'must be good' },
    { field: 'b', description: 'must be better' },
  ];
  expect(invalid(violations)).toEqual(
    new AuthError('INVALID_ARGUMENT', 'a must be good; b must be better.', { violations }),
  );
});
