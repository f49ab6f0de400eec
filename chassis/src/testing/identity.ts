/** Creates valid access tokens, without the service that issues them. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Jwk } from '@payflowx/proto/auth';
import { ACCESS_TOKEN_LIFETIME_S, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE } from '../rpc/access-token.ts';
import type { Caller } from '../rpc/caller.ts';
import { createTokenVerifier, type TokenVerifier } from '../rpc/identity.ts';

export interface TestIdentity {
  verifier: TokenVerifier;
  jwks: readonly Jwk[];
  /** A valid access token for `caller`; a negative lifetime makes it expired. */
  tokenFor(caller: Caller, life?: { expiresInS?: number }): Promise<string>;
  /** A signed token with any claims and header, valid or not. Undefined claims are left out. */
  tokenWith(claims: object, header?: object): Promise<string>;
}

/** Creates a key pair, and tokens signed with it, like auth. */
export function createTestIdentity(): TestIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const kid = `key_${randomBytes(4).toString('hex')}`;
  const jwks = [toJwk(publicKey, kid)];
  // Signed by hand, because the JWT library refuses invalid claims.
  const partOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tokenWith = async (claims: object, header: object = {}) => {
    const iat = Math.floor(Date.now() / 1000);
    const jti = randomBytes(8).toString('hex');
    const good = { iss: TOKEN_ISSUER, aud: TOKEN_AUDIENCE, iat, exp: iat + ACCESS_TOKEN_LIFETIME_S, jti };
    const input = `${partOf({ typ: TOKEN_TYPE, alg: 'EdDSA', kid, ...header })}.${partOf({ ...good, ...claims })}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  };
  return {
    verifier: createTokenVerifier({ jwks: async () => jwks }),
    jwks,
    tokenFor: (caller, { expiresInS } = {}) => {
      const { id, roles, sessionId, loggedInAtS, clientId = 'cli_test', scopes, restrictedTo } = caller;
      const limits = scopes && { client_id: clientId, scope: scopes.join(' ') };
      const iat = Math.floor(Date.now() / 1000);
      const life = expiresInS !== undefined && { iat, exp: iat + expiresInS };
      // Unless the caller says otherwise, a person has just logged in.
      const login = { sid: sessionId, auth_time: loggedInAtS ?? (scopes ? undefined : iat) };
      return tokenWith({ sub: id, roles, ...login, ...limits, ...life, restricted_to: restrictedTo });
    },
    tokenWith,
  };
}

function toJwk(publicKey: KeyObject, kid: string): Jwk {
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { kid, kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA', use: 'sig' };
}
