import { ACCESS_TOKEN_LIFETIME_S } from '@payflowx/chassis';
import { expect, it } from 'vitest';
import { oldestUsefulRetirement } from './access-token.ts';

it('a retired key stays published until its last token has expired, and a minute more', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  expect((now.getTime() - oldestUsefulRetirement(now).getTime()) / 1000).toBe(ACCESS_TOKEN_LIFETIME_S + 60);
});
