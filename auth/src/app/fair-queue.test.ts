import { describe, expect, it } from 'vitest';
import { createFairQueue } from './fair-queue.ts';

/** A queue of one worker whose work ends when the test says so, and the order in which work began. */
function watched(queueMax: number, concurrency = 1) {
  const queue = createFairQueue({ concurrency, queueMax }, () => new Error('full'));
  const began: string[] = [];
  const ends: (() => void)[] = [];
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    began,
    enter: (party: string) =>
      queue
        .inTurn(party, () => {
          began.push(party);
          return new Promise<void>((resolve) => ends.push(resolve));
        })
        .then(
          () => 'done',
          (error: Error) => error.message,
        ),
    async drain() {
      for (let end = ends.shift(); end; end = ends.shift()) {
        end();
        await settled();
      }
    },
  };
}

describe('a fair queue', () => {
  it('serves parties in rotation, however many one of them sends', async () => {
    const { enter, began, drain } = watched(10);
    const all = ['a', 'a', 'a', 'a', 'b', 'c', 'b'].map(enter);
    await drain();
    expect(began).toEqual(['a', 'a', 'b', 'c', 'a', 'b', 'a']);
    expect(await Promise.all(all)).toEqual(all.map(() => 'done'));
  });

  it('refuses what finds no place', async () => {
    const { enter, drain } = watched(2);
    const all = ['a', 'a', 'a', 'a'].map(enter);
    await drain();
    expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'full']);
  });

  it('lets a newcomer in when it is full, at the cost of the party with most waiting', async () => {
    const { enter, drain } = watched(3);
    const all = ['a', 'a', 'a', 'a', 'b', 'c'].map(enter);
    await drain();
    // The running one, one each of three parties: the last two of a had to leave.
    expect(await Promise.all(all)).toEqual(['done', 'done', 'full', 'full', 'done', 'done']);
  });

  it('refuses a newcomer when all have as little as it would have', async () => {
    const { enter, drain } = watched(2);
    const all = ['a', 'a', 'b', 'c'].map(enter);
    await drain();
    expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'full']);
  });

  it('goes on after work that failed', async () => {
    const queue = createFairQueue({ concurrency: 1, queueMax: 0 }, () => new Error('full'));
    await expect(queue.inTurn('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await queue.inTurn('a', async () => 'fine')).toBe('fine');
  });

  it('never runs more at once than it may', async () => {
    const { enter, began, drain } = watched(10, 2);
    const all = ['a', 'a', 'b'].map(enter);
    expect(began).toEqual(['a', 'a']);
    await drain();
    await Promise.all(all);
  });
});
