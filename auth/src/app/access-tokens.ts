/** Signs access tokens (RFC 9068). */
import { ACCESS_TOKEN_LIFETIME_S, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE } from '@payflowx/chassis';
import { createSigner } from 'fast-jwt';
import type { Subject } from '../domain/access-token.ts';
import type { ActiveSigningKey } from './signing-keys.ts';

export interface AccessToken {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  /** The scopes of the token, separated by blanks. Undefined if the token has no limits. */
  scope?: string | undefined;
  /** The only thing that the token may be used for. Undefined for an ordinary token. */
  restrictedTo?: string | undefined;
}

export type SignAccessToken = (subject: Subject) => AccessToken;

/** Reads the current key. The signer itself reads nothing, so it may run inside a transaction. */
export type AccessTokenSigner = () => Promise<SignAccessToken>;

interface SignerDeps {
  /** Returns the current signing key. */
  activeKey(): Promise<ActiveSigningKey>;
  now(): Date;
  newTokenId(): string;
}

export function createAccessTokenSigner({ activeKey, now, newTokenId }: SignerDeps): AccessTokenSigner {
  let current: { kid: string; sign: ReturnType<typeof signerOf> } | undefined;
  return async () => {
    const key = await activeKey();
    if (current?.kid !== key.kid) current = { kid: key.kid, sign: signerOf(key) };
    const { sign } = current;
    return ({ id, roles, client, session, tokensValidFrom, restrictedTo }) => {
      const iat = Math.max(secondOf(now()), tokensValidFrom ? secondOf(tokensValidFrom) : 0);
      const scope = client?.scopes.join(' ');
      const limits = client && { client_id: client.id, scope };
      const login = session && { sid: session.id, auth_time: secondOf(session.loggedInAt) };
      const rights = restrictedTo === undefined ? { roles } : { roles: [], restricted_to: restrictedTo };
      const accessToken = sign({ sub: id, ...rights, ...login, ...limits, iat, jti: newTokenId() });
      return { accessToken, expiresIn: ACCESS_TOKEN_LIFETIME_S, scope, restrictedTo };
    };
  };
}

function secondOf(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

function signerOf({ kid, privateKey }: ActiveSigningKey) {
  return createSigner({
    algorithm: 'EdDSA',
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    // The `typ` header: verifiers refuse other JWTs that this key signed.
    header: { alg: 'EdDSA', typ: TOKEN_TYPE, kid },
    iss: TOKEN_ISSUER,
    aud: TOKEN_AUDIENCE,
    expiresIn: ACCESS_TOKEN_LIFETIME_S * 1000,
  });
}
