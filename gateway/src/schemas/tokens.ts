/** The tokens of a session. */
import type { TokenPair } from '@payflowx/proto/auth';
import { type Static, Type } from 'typebox';
import { named } from './named.ts';

export const Tokens = named(
  'Tokens',
  Type.Object({
    access_token: Type.String({
      description: 'A JWT (RFC 9068): send it as `Authorization: Bearer …`.',
      examples: ['eyJhbGciOiJFZERTQSJ9.e30.c2ln'],
    }),
    token_type: Type.String({ examples: ['Bearer'] }),
    expires_in: Type.Integer({ description: 'Seconds until the access token expires.', examples: [300] }),
    refresh_token: Type.String({
      description: 'Can be exchanged once for a new pair of tokens.',
      examples: ['bm90IGEgdG9rZW4'],
    }),
    restricted_to: Type.Optional(
      Type.Unsafe<'second_factor_setup'>({
        type: 'string',
        enum: ['second_factor_setup'],
        description:
          'The only thing that the access token may be used for; absent for an ordinary token. `second_factor_setup`: your role needs a second factor, and you have none. Set one up under `/v1/auth/second-factors`, then refresh. Every other request is 403 `SECOND_FACTOR_SETUP_REQUIRED`.',
      }),
    ),
  }),
);

export function tokensJson(tokens: TokenPair | undefined): Static<typeof Tokens> {
  if (!tokens) throw new Error('The response of auth has no tokens.');
  return {
    access_token: tokens.accessToken,
    token_type: tokens.tokenType,
    expires_in: tokens.expiresIn,
    refresh_token: tokens.refreshToken,
    ...(tokens.restrictedTo === 'second_factor_setup' && { restricted_to: tokens.restrictedTo }),
  };
}
