import { verify } from '@node-rs/argon2';
import { beforeEach, expect, it, vi } from 'vitest';
import { createPasswordHasher } from './password-hasher.ts';

vi.mock('@node-rs/argon2', async (importOriginal) => {
  const actual = await importOriginal<typeof import('@node-rs/argon2')>();
  return { ...actual, verify: vi.fn(actual.verify) };
});
beforeEach(() => {
  vi.mocked(verify).mockClear();
});

it('verifies a hash of the same cost for a user that does not exist, and never matches', async () => {
  const hasher = await createPasswordHasher({ concurrency: 1, queueMax: 10 });
  const known = await hasher.hash('party', 'the password');
  const matches = (hash: string | undefined, password: string) =>
    hasher.inTurn('party', (compare) => compare(hash, password));
  expect(await matches(known, 'the password')).toBe(true);
  expect(await matches(known, 'another one')).toBe(false);
  expect(await matches(undefined, 'the password')).toBe(false);
  // The algorithm and its cost, such as $argon2id$v=19$m=19456,t=2,p=1.
  const costs = vi.mocked(verify).mock.calls.map(([hash]) => String(hash).split('$').slice(0, 4).join('$'));
  expect(costs).toEqual(Array(3).fill('$argon2id$v=19$m=19456,t=2,p=1'));
});
