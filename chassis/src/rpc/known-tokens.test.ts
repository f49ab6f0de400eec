import { expect, it } from 'vitest';
import { NOTHING_REVOKED } from './identity.ts';
import { createKnownTokens } from './known-tokens.ts';

const caller = { id: 'usr_alice', roles: ['customer' as const] };

function verifiedToken() {
  const iat = Math.floor(Date.now() / 1000);
  return { caller, kid: 'key_1', iat, exp: iat + 300 };
}

it('finds a caller by the whole token, and only while its key is published', () => {
  const keys = new Set(['key_1']);
  const known = createKnownTokens(keys, NOTHING_REVOKED);
  known.add('a.b.c', verifiedToken());
  expect([known.get('a.b.c'), known.get('a.b.d'), known.get('A.b.c')]).toEqual([
    caller,
    undefined,
    undefined,
  ]);
  keys.clear();
  expect(known.get('a.b.c')).toBeUndefined();
});

it('does not find a caller whose tokens were revoked since', () => {
  let isRevoked = false;
  const known = createKnownTokens({ has: () => true }, { isRevoked: () => isRevoked });
  known.add('a.b.c', verifiedToken());
  expect(known.get('a.b.c')).toEqual(caller);
  isRevoked = true;
  expect(known.get('a.b.c')).toBeUndefined();
});

it('forgets the oldest token when it is full', () => {
  const known = createKnownTokens({ has: () => true }, NOTHING_REVOKED, 2);
  for (const token of ['1', '2', '3']) known.add(token, verifiedToken());
  expect(['1', '2', '3'].map((token) => known.get(token) !== undefined)).toEqual([false, true, true]);
});
