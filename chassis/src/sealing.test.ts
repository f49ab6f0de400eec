import { describe, expect, it } from 'vitest';
import { resealed, seal, unseal } from './sealing.ts';

const key = Buffer.alloc(32, 1);
const secret = Buffer.from('a secret');

it('a sealed secret opens with its key and its row only', () => {
  const sealed = seal(secret, 'row_1', key);
  expect(unseal(sealed, 'row_1', key)).toEqual(secret);
  expect(() => unseal(sealed, 'row_2', key)).toThrow();
  expect(() => unseal(sealed, 'row_1', Buffer.alloc(32, 2))).toThrow();
  expect(sealed).toHaveLength(12 + 16 + secret.length);
  expect(sealed.includes(secret)).toBe(false);
});

it('the same secret is never sealed to the same bytes', () => {
  const [one, two] = [seal(secret, 'row_1', key), seal(secret, 'row_1', key)];
  expect(one.subarray(0, 12)).not.toEqual(two.subarray(0, 12));
});

it.each([0, 11, 12, 27, 28, 35])('does not open with byte %i changed', (at) => {
  const sealed = seal(secret, 'row_1', key);
  sealed.writeUInt8(sealed.readUInt8(at) ^ 1, at);
  expect(() => unseal(sealed, 'row_1', key)).toThrow();
});

describe('with several keys', () => {
  const next = Buffer.alloc(32, 2);

  it('a secret is sealed with the first, and opens with each', () => {
    const sealed = seal(secret, 'row_1', [next, key]);
    expect(unseal(sealed, 'row_1', next)).toEqual(secret);
    expect(() => unseal(sealed, 'row_1', key)).toThrow();
    expect(unseal(sealed, 'row_1', [key, next])).toEqual(secret);
    expect(() => unseal(sealed, 'row_2', [key, next])).toThrow();
  });

  it('a secret is sealed again only if it is not sealed with the first', () => {
    const sealed = seal(secret, 'row_1', key);
    const again = resealed(sealed, 'row_1', [next, key]);
    expect(again && unseal(again, 'row_1', next)).toEqual(secret);
    expect(resealed(again ?? sealed, 'row_1', [next, key])).toBeUndefined();
    expect(resealed(sealed, 'row_1', key)).toBeUndefined();
    expect(() => resealed(sealed, 'row_1', [next])).toThrow();
    expect(() => resealed(sealed, 'row_2', [next, key])).toThrow();
  });
});
