import { expect, it } from 'vitest';
import { isCommonPassword } from './common-passwords.ts';

it.each([
  'qwerty123456',
  'QWERTY123456',
  'password1234',
  '!!!password!!!',
  'passwordpassword',
  'aaaaaaaaaaaa',
  'abcabcabcabcabc',
  '121212121212',
])('%s is common', (password) => {
  expect(isCommonPassword(password)).toBe(true);
});

it.each([
  'correct horse battery staple',
  'a longer sentence is better',
  'h3kxwp-29mztc-ae8ruv-5bnqyd',
  '0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  'passwords are no good passphrase',
])('%s is not', (password) => {
  expect(isCommonPassword(password)).toBe(false);
});
