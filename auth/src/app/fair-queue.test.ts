import { describe, expect, it } from 'vitest';
import { createFairQueue } from './fair-queue.ts';

/** A queue with one worker. The test ends each piece of work; the result has the order in which work began. */
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
  it('serves parties in rotation, however many requests one of them sends', async () => {
    const { enter, began, drain } = watched(10);
    const all = ['a', 'a', 'a', 'a', 'b', 'c', 'b'].map(enter);
    await drain();
    expect(began).toEqual(['a', 'a', 'b', 'c', 'a', 'b', 'a']);
    expect(await Promise.all(all)).toEqual(all.map(() => 'done'));
  });

  it('refuses work when the queue is full', async () => {
    const { enter, drain } = watched(2);
    const all = ['a', 'a', 'a', 'a'].map(enter);
    await drain();
    expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'full']);
  });

  it('accepts a newcomer when full, and refuses the last request of the party with the most waiting', async () => {
    const { enter, drain } = watched(3);
    const all = ['a', 'a', 'a', 'a', 'b', 'c'].map(enter);
    await drain();
    // The running one, and one of each of the three parties: the last two of a were refused to make room.
    expect(await Promise.all(all)).toEqual(['done', 'done', 'full', 'full', 'done', 'done']);
  });

  it('refuses a newcomer when no party has more waiting than it would have', async () => {
    const { enter, drain } = watched(2);
    const all = ['a', 'a', 'b', 'c'].map(enter);
    await drain();
    expect(await Promise.all(all)).toEqual(['done', 'done', 'done', 'full']);
  });

  it('continues after work that failed', async () => {
    const queue = createFairQueue({ concurrency: 1, queueMax: 0 }, () => new Error('full'));
    await expect(queue.inTurn('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await queue.inTurn('a', async () => 'fine')).toBe('fine');
  });

  it('never runs more at once than the limit', async () => {
    const { enter, began, drain } = watched(10, 2);
    const all = ['a', 'a', 'b'].map(enter);
    expect(began).toEqual(['a', 'a']);
    await drain();
    await Promise.all(all);
  });
});
