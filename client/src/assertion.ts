/** Assertions of an API client (RFC 7523), signed with Web Crypto, which Node and browsers have. */
import type { KeyCredentials, SigningKey } from './options.ts';

/** The platform accepts at most 5 minutes. */
const LIFETIME_S = 60;

/** Returns the body of a login. Each assertion is accepted once, so each attempt needs a new one. */
export async function assertionBody(as: KeyCredentials, gateway: string): Promise<string> {
  const iat = Math.floor(Date.now() / 1_000);
  const { clientId, audience = new URL('/v1/auth/token', gateway).href } = as;
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: audience,
    iat,
    exp: iat + LIFETIME_S,
    jti: crypto.randomUUID(),
  };
  return JSON.stringify({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await sign(claims, as),
  });
}

async function sign(claims: object, { privateKey, keyId }: KeyCredentials): Promise<string> {
  const { alg, parameters } = algorithmOf(privateKey);
  const header = { alg, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) };
  const encoder = new TextEncoder();
  const input = [header, claims].map((part) => encode(encoder.encode(JSON.stringify(part)))).join('.');
  const signature = await crypto.subtle.sign(parameters, privateKey as never, encoder.encode(input));
  return `${input}.${encode(new Uint8Array(signature))}`;
}

/** RFC 7518 and RFC 8037, by the names of Web Crypto. */
const ALGORITHMS: Record<
  string,
  { alg: string; parameters: { name: string; hash?: string; saltLength?: number } }
> = {
  ECDSA: { alg: 'ES256', parameters: { name: 'ECDSA', hash: 'SHA-256' } },
  Ed25519: { alg: 'EdDSA', parameters: { name: 'Ed25519' } },
  'RSA-PSS': { alg: 'PS256', parameters: { name: 'RSA-PSS', saltLength: 32 } },
  'RSASSA-PKCS1-v1_5': { alg: 'RS256', parameters: { name: 'RSASSA-PKCS1-v1_5' } },
};

function algorithmOf({ algorithm: { name } }: SigningKey) {
  const found = ALGORITHMS[name];
  if (!found) throw new TypeError(`A key of type ${name} cannot sign assertions.`);
  return found;
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
