import { createPublicKey, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeSigningKey, openSigningKey, SealError, thumbprint, toJwk } from './signing-key.ts';

const sealingKey = Buffer.alloc(32, 1);

describe('a sealed signing key', () => {
  it('opens to the private half of the published key', () => {
    const key = makeSigningKey(sealingKey);
    const { kty, crv, x } = toJwk(key);
    const publicKey = createPublicKey({ key: { kty, crv, x }, format: 'jwk' });
    const signature = sign(null, Buffer.from('text'), openSigningKey(key, sealingKey));
    expect(verify(null, Buffer.from('text'), publicKey, signature)).toBe(true);
  });

  it('does not open with another sealing key', () => {
    expect(() => openSigningKey(makeSigningKey(sealingKey), Buffer.alloc(32, 2))).toThrow(SealError);
  });

  it('does not open with a changed byte, or under the id of another key', () => {
    const key = makeSigningKey(sealingKey);
    for (const at of [0, 12, 28, key.sealedPrivateKey.length - 1]) {
      const changed = Buffer.from(key.sealedPrivateKey);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => openSigningKey({ ...key, sealedPrivateKey: changed }, sealingKey)).toThrow(SealError);
    }
    expect(() => openSigningKey({ ...key, kid: makeSigningKey(sealingKey).kid }, sealingKey)).toThrow(
      SealError,
    );
  });

  it('does not open when it is cut short', () => {
    const key = makeSigningKey(sealingKey);
    const short = { ...key, sealedPrivateKey: key.sealedPrivateKey.subarray(0, 20) };
    expect(() => openSigningKey(short, sealingKey)).toThrow(SealError);
  });
});

it('has its thumbprint as its id, as in RFC 8037, A.3', () => {
  const publicKey = Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url');
  expect(thumbprint(publicKey)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

it('is published as RFC 8037 writes it', () => {
  const key = makeSigningKey(sealingKey);
  const x = key.publicKey.toString('base64url');
  expect(x).toHaveLength(43);
  expect(toJwk(key)).toEqual({ kid: key.kid, kty: 'OKP', crv: 'Ed25519', x, alg: 'EdDSA', use: 'sig' });
});

it('that does not open says what to do', () => {
  const { message, name } = new SealError('kid_1');
  expect(name).toBe('SealError');
  expect(message).toContain('AUTH_SEALING_KEY does not open the signing key kid_1');
  expect(message).toContain('Add the key that it was sealed with');
  expect(message).toContain('a new key is created');
});
