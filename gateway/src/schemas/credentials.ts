/** Names and passwords in requests. */
import { Type } from 'typebox';

/** Any name: at a login, an invalid one is wrong, not malformed. */
export const username = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^[^\\u0000]*$',
  examples: ['alice'],
});

export const presentPassword = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^[^\\u0000]*$',
  examples: ['correct horse battery staple'],
});

export const newPassword = Type.String({
  minLength: 12,
  maxLength: 256,
  pattern: '^[^\\u0000]*$',
  examples: ['a longer sentence is better'],
});
