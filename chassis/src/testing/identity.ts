/** Access tokens that verify, without the service that issues them. */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { Jwk } from '@payflowx/proto/auth';
import { createSigner } from 'fast-jwt';
import {
  type Caller,
  createTokenVerifier,
  TOKEN_AUDIENCE,
  TOKEN_ISSUER,
  TOKEN_TYPE,
  type TokenVerifier,
} from '../rpc/identity.ts';

export interface TestIdentity {
  verifier: TokenVerifier;
  jwks: readonly Jwk[];
  /** A good access token for `caller`; a negative life makes it expired. */
  tokenFor(caller: Caller, life?: { expiresInS?: number }): Promise<string>;
  /** A signed token with any claims, good or not. */
  tokenWith(claims: object, expiresInS?: number): Promise<string>;
}

/** A key pair of its own and tokens signed with it, as auth would make them. */
export function createTestIdentity(): TestIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const kid = `key_${randomBytes(4).toString('hex')}`;
  const jwks = [toJwk(publicKey, kid)];
  const sign = createSigner({
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    algorithm: 'EdDSA',
    kid,
    header: { typ: TOKEN_TYPE, alg: 'EdDSA', kid },
    iss: TOKEN_ISSUER,
    aud: TOKEN_AUDIENCE,
  });
  const tokenWith = async (claims: object, expiresInS = 300) => {
    const iat = Math.floor(Date.now() / 1000);
    return sign({ iat, exp: iat + expiresInS, jti: randomBytes(8).toString('hex'), ...claims });
  };
  return {
    verifier: createTokenVerifier({ jwks: async () => jwks }),
    jwks,
    tokenFor: ({ id, roles, clientId = 'cli_test', scopes }, { expiresInS } = {}) => {
      const limits = scopes && { client_id: clientId, scope: scopes.join(' ') };
      return tokenWith({ sub: id, roles, ...limits }, expiresInS);
    },
    tokenWith,
  };
}

function toJwk(publicKey: KeyObject, kid: string): Jwk {
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { kid, kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA', use: 'sig' };
}
