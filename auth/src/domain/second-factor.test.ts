import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AuthError } from './errors.ts';
import {
  describeTotp,
  hashChallenge,
  hashRecoveryCode,
  invalidSecondFactor,
  loginMethods,
  newChallenge,
  newRecoveryCodes,
  newTotpSecret,
  requireNewFactor,
  secondFactorRequired,
  stepOfCode,
} from './second-factor.ts';

/** The secret of RFC 6238, appendix B, with its codes for SHA-1. */
const SECRET = Buffer.from('12345678901234567890');
const at = (s: number) => new Date(s * 1_000);
const UNUSED = -1n;

describe('a code of an authenticator app', () => {
  it.each([
    [59, '287082', 1n],
    [1_111_111_109, '081804', 37_037_036n],
    [1_234_567_890, '005924', 41_152_263n],
    [2_000_000_000, '279037', 66_666_666n],
  ])('at second %i of RFC 6238 is %s', (second, code, step) => {
    expect(stepOfCode(SECRET, code, UNUSED, at(second))).toBe(step);
  });

  it('is accepted one step early and one step late, and is then its own step', () => {
    // 081804 is right from 1111111080 to 1111111109.
    expect(
      [1_111_111_049, 1_111_111_050, 1_111_111_139, 1_111_111_140].map((s) =>
        stepOfCode(SECRET, '081804', UNUSED, at(s)),
      ),
    ).toEqual([undefined, 37_037_036n, 37_037_036n, undefined]);
  });

  it('works once, and no code of an earlier step works after it', () => {
    const tried = (lastStep: bigint) => stepOfCode(SECRET, '081804', lastStep, at(1_111_111_109));
    expect([37_037_035n, 37_037_036n, 37_037_037n].map(tried)).toEqual([37_037_036n, undefined, undefined]);
  });

  it.each(['', '000000', '81804', '0818040', 'abcdef'])('is not %j', (code) => {
    expect(stepOfCode(SECRET, code, UNUSED, at(1_111_111_109))).toBeUndefined();
  });

  it('comes from a secret of 160 random bits, described as apps expect it', () => {
    expect(newTotpSecret()).toHaveLength(20);
    expect(newTotpSecret()).not.toEqual(newTotpSecret());
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    expect(describeTotp(SECRET, 'alice')).toEqual({
      secret,
      uri: `otpauth://totp/PayFlowX:alice?issuer=PayFlowX&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    });
  });
});

describe('recovery codes', () => {
  it('are ten of 80 random bits', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[0-9a-f]{5}(-[0-9a-f]{5}){3}$/);
  });

  it('may be typed with any case, spaces and dashes', () => {
    const hash = createHash('sha256').update('abcde12345').digest();
    for (const typed of ['abcde12345', 'ABCDE-12345', ' abcde 12-345\n'])
      expect(hashRecoveryCode(typed)).toEqual(hash);
    expect(hashRecoveryCode('abcde12346')).not.toEqual(hash);
  });
});

it('a challenge has 256 random bits, and is stored as a hash', () => {
  expect(newChallenge()).toMatch(/^[\w-]{43}$/);
  expect(newChallenge()).not.toBe(newChallenge());
  expect(hashChallenge('Ab')).toEqual(createHash('sha256').update('Ab').digest());
});

it('errors say no more than needed', () => {
  expect(invalidSecondFactor()).toEqual(
    new AuthError(
      'INVALID_SECOND_FACTOR',
      'The code or the passkey is wrong or was used, or the login took too long.',
    ),
  );
  const asked = { challenge: 'abc', methods: ['totp', 'recovery_code'], passkeyOptions: undefined } as const;
  const required = (metadata: Record<string, string>) =>
    new AuthError(
      'SECOND_FACTOR_REQUIRED',
      'The password is right. Complete the login with a second factor.',
      { metadata },
    );
  expect(secondFactorRequired(asked)).toEqual(required({ challenge: 'abc', methods: 'totp,recovery_code' }));
  expect(secondFactorRequired({ ...asked, methods: ['passkey'], passkeyOptions: '{}' })).toEqual(
    required({ challenge: 'abc', methods: 'passkey', passkey_options: '{}' }),
  );
});

it('a new factor is an app or a passkey, with a printable name', () => {
  for (const name of ['a', 'Änne’s phone', 'x'.repeat(100)])
    for (const kind of ['totp', 'passkey']) expect(requireNewFactor({ kind, name })).toBe(kind);
  expect(() => requireNewFactor({ kind: 'sms', name: 'x' })).toThrow('kind must be totp or passkey.');
  for (const name of ['', 'x'.repeat(101), 'a\nb', 'a\0'])
    expect(() => requireNewFactor({ kind: 'totp', name })).toThrow(
      'name must be 1 to 100 printable characters.',
    );
});

it('a login names the methods that are possible', () => {
  expect(loginMethods({ totp: true, passkey: true, recovery_code: true })).toEqual([
    'passkey',
    'totp',
    'recovery_code',
  ]);
  expect(loginMethods({ totp: true, passkey: false, recovery_code: false })).toEqual(['totp']);
  expect(loginMethods({ totp: false, passkey: false, recovery_code: true })).toEqual(['recovery_code']);
});
