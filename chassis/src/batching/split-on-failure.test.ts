import { expect, it } from 'vitest';
import { ok } from './batcher.ts';
import { splitOnFailure } from './split-on-failure.ts';

const unavailable = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
const tooSlow = Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' });
const numbers = (to: number) => Array.from({ length: to }, (_, n) => n);

/** Processes the numbers up to `count`. `problemOf` returns the error of a batch, if it has one. */
async function split(count: number, problemOf: (items: readonly number[]) => Error | undefined) {
  const batches: (readonly number[])[] = [];
  const results = splitOnFailure(numbers(count), async (items) => {
    batches.push(items);
    const problem = problemOf(items);
    if (problem) throw problem;
    return items.map((item) => ok(item));
  });
  return { results: await results.catch((error: unknown) => error), batches };
}

it('fails only the item that makes a batch fail, in few attempts and in order', async () => {
  const poison = new Error('poison');
  const { results, batches } = await split(200, (items) => (items.includes(77) ? poison : undefined));
  expect(results).toEqual(numbers(200).map((n) => (n === 77 ? { ok: false, error: poison } : ok(n))));
  expect(batches.length).toBeLessThan(20);
  const processed = batches.filter((items) => !items.includes(77)).flat();
  expect(processed).toEqual(numbers(200).filter((n) => n !== 77));
});

it('makes one attempt if the service is unavailable', async () => {
  expect(await split(3, () => unavailable)).toEqual({ results: unavailable, batches: [[0, 1, 2]] });
});

it('processes a batch that is too much for one statement in parts', async () => {
  const { results, batches } = await split(200, (items) => (items.length > 60 ? tooSlow : undefined));
  expect(results).toEqual(numbers(200).map((n) => ok(n)));
  expect(batches.map((items) => items.length)).toEqual([200, 100, 50, 50, 100, 50, 50]);
});

it('gives up when even one item takes too long, because then the database is slow', async () => {
  const { results, batches } = await split(200, () => tooSlow);
  expect(results).toBe(tooSlow);
  expect(batches.map((items) => items.length)).toEqual([200, 100, 50, 25, 13, 7, 4, 2, 1]);
});
