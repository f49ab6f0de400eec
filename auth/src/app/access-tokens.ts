/** Signs access tokens (RFC 9068). */
import { TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE } from '@payflowx/chassis';
import { createSigner } from 'fast-jwt';
import { ACCESS_TOKEN_LIFETIME_S, type Subject } from '../domain/access-token.ts';
import type { ActiveSigningKey } from './signing-keys.ts';

export interface AccessToken {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
}

export type IssueAccessToken = (subject: Subject) => AccessToken;

export function createAccessTokenIssuer(
  { kid, privateKey }: ActiveSigningKey,
  { now, newTokenId }: { now(): Date; newTokenId(): string },
): IssueAccessToken {
  const sign = createSigner({
    algorithm: 'EdDSA',
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    // The type keeps any other JWT of this key from passing for an access token.
    header: { alg: 'EdDSA', typ: TOKEN_TYPE, kid },
    iss: TOKEN_ISSUER,
    aud: TOKEN_AUDIENCE,
    expiresIn: ACCESS_TOKEN_LIFETIME_S * 1000,
  });
  return ({ id, roles }) => {
    const iat = Math.floor(now().getTime() / 1000);
    return {
      accessToken: sign({ sub: id, roles, iat, jti: newTokenId() }),
      expiresIn: ACCESS_TOKEN_LIFETIME_S,
    };
  };
}
