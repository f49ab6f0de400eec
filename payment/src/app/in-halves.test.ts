import { ok } from '@payflowx/chassis';
import { expect, it } from 'vitest';
import { inHalves } from './in-halves.ts';

const away = new Error('away');
const isAboutAnItem = (error: unknown) => error !== away;

it('fails only the items that make a batch fail, in few attempts', async () => {
  let batches = 0;
  const work = async (items: readonly number[]) => {
    batches += 1;
    if (items.includes(77)) throw new Error('poison');
    return items.map((item) => ok(item));
  };
  const results = await inHalves(
    Array.from({ length: 200 }, (_, n) => n),
    work,
    isAboutAnItem,
  );
  expect(results.flatMap(({ ok }, n) => (ok ? [] : n))).toEqual([77]);
  expect(results[78]).toEqual(ok(78));
  expect(batches).toBeLessThan(20);
});

it('makes one attempt if the service is unavailable', async () => {
  let batches = 0;
  const work = async () => {
    batches += 1;
    throw away;
  };
  await expect(inHalves([1, 2, 3], work, isAboutAnItem)).rejects.toBe(away);
  expect(batches).toBe(1);
});
