import { expect, it } from 'vitest';
import { newOneTimePassword, ONE_TIME_LIFETIME_MS, passwordProblem } from './password.ts';

it.each<[string, string | undefined]>([
  ['qv7 mxl2 pzt', undefined],
  ['qv7 mxl2 pz', 'must be 12 to 256 characters long'],
  [`${'qv7 mxl2 pzt9 '.repeat(18)}ab2c`, undefined],
  [`${'qv7 mxl2 pzt9 '.repeat(18)}ab2cd`, 'must be 12 to 256 characters long'],
  ['password1234', 'must not be a common password'],
])('the password %j: %s', (password, problem) => expect(passwordProblem(password)).toBe(problem));

it('a one-time password is random, can be read out, is a good password, and lasts a day', () => {
  const passwords = Array.from({ length: 50 }, newOneTimePassword);
  expect(new Set(passwords).size).toBe(50);
  const groups = /^[a-km-np-z2-9]{6}(-[a-km-np-z2-9]{6}){3}$/;
  for (const password of passwords) {
    expect(password).toMatch(groups);
    expect(passwordProblem(password)).toBeUndefined();
  }
  // All 32 characters occur, so a character has 5 bits.
  expect(new Set(passwords.join('').replaceAll('-', '')).size).toBe(32);
  expect(ONE_TIME_LIFETIME_MS).toBe(86_400_000);
});
