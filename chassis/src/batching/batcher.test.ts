import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { BatcherClosedError, BatcherFullError, createBatcher, failed, ok } from './batcher.ts';

function doubling({
  flushed = Promise.resolve(),
  ...options
}: {
  /** No flush ends before this promise resolves. */
  flushed?: Promise<void>;
  maxSize?: number;
  concurrency?: number;
  paceMs?: number;
  pacesOnlyWhileBusy?: boolean;
  maxQueued?: number;
} = {}) {
  const batches: number[][] = [];
  const batcher = createBatcher<number, number>({
    ...options,
    flush: async (items) => {
      batches.push(items);
      await flushed;
      return items.map((item) => ok(item * 2));
    },
  });
  return { batcher, batches };
}

/** Long enough for everything that does not wait for a timer. */
async function nextTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the adaptive batcher', () => {
  it('gives each item its own result', async () => {
    const { batcher } = doubling();
    expect(await Promise.all(upTo(50).map(batcher.submit))).toEqual(upTo(50).map((item) => item * 2));
  });

  it('flushes a single item at once', async () => {
    const { batcher, batches } = doubling();
    await batcher.submit(1);
    await batcher.submit(2);
    expect(batches).toEqual([[1], [2]]);
  });

  it('collects items while a flush runs, keeps their order, and never exceeds the maximum size', async () => {
    const { promise: flushed, resolve: finish } = Promise.withResolvers<void>();
    const { batcher, batches } = doubling({ flushed, maxSize: 40 });
    const first = batcher.submit(-1);
    await vi.waitFor(() => expect(batches).toEqual([[-1]]));
    const others = upTo(100).map(batcher.submit);
    finish();
    await Promise.all([first, ...others]);
    expect(batches.map((batch) => batch.length)).toEqual([1, 40, 40, 20]);
    expect(batches.flat()).toEqual([-1, ...upTo(100)]);
  });

  it('with a pace flushes the first item at once and collects the next, until a batch is full or the batcher drains', async () => {
    const { batcher, batches } = doubling({ maxSize: 3, paceMs: 60_000 });
    await batcher.submit(0);
    const full = [1, 2, 3].map(batcher.submit);
    await Promise.all(full);
    const last = batcher.submit(4);
    await nextTurns();
    expect(batches).toEqual([[0], [1, 2, 3]]);
    await Promise.all([batcher.drain(), last]);
    expect(batches).toEqual([[0], [1, 2, 3], [4]]);
  });

  it('with a pace flushes the collected items at the end of the interval', async () => {
    const { batcher, batches } = doubling({ paceMs: 20 });
    await batcher.submit(0);
    await Promise.all([1, 2, 3].map(batcher.submit));
    expect(batches).toEqual([[0], [1, 2, 3]]);
  });

  it('with a pace only while busy never delays a single item, and collects items while a flush runs', async () => {
    let gate = Promise.resolve();
    const batches: number[][] = [];
    const batcher = createBatcher<number, number>({
      concurrency: 4,
      paceMs: 60_000,
      pacesOnlyWhileBusy: true,
      flush: async (items) => {
        batches.push(items);
        await gate;
        return items.map(ok);
      },
    });
    await batcher.submit(0);
    await batcher.submit(1);
    const { promise, resolve: finish } = Promise.withResolvers<void>();
    gate = promise;
    const first = batcher.submit(2);
    await vi.waitFor(() => expect(batches).toHaveLength(3));
    const others = [3, 4].map(batcher.submit);
    await nextTurns();
    expect(batches).toEqual([[0], [1], [2]]);
    finish();
    await Promise.all([first, ...others]);
    expect(batches).toEqual([[0], [1], [2], [3, 4]]);
  });

  it('with a pace only while busy does not wait when all callers of a closed loop are here', async () => {
    let running = 0;
    let overlapping = 0;
    const batcher = createBatcher<number, number>({
      concurrency: 2,
      paceMs: 60_000,
      pacesOnlyWhileBusy: true,
      flush: async (items) => {
        running += 1;
        if (running === 2) overlapping += 1;
        // A flush takes longer than its callers need to come back.
        await nextTurns();
        running -= 1;
        return items.map(ok);
      },
    });
    const caller = async () => {
      for (const item of upTo(100)) {
        await batcher.submit(item);
        // The way to the client and back.
        await nextTurn();
      }
    };
    const half = upTo(8).map(caller);
    await nextTurn();
    await nextTurn();
    await Promise.all([...half, ...upTo(8).map(caller)]);
    expect(overlapping).toBeGreaterThan(50);
  });

  it('runs as many flushes at once as configured, and no more', async () => {
    let running = 0;
    let most = 0;
    const batcher = createBatcher<number, number>({
      maxSize: 1,
      concurrency: 3,
      flush: async (items) => {
        running += 1;
        most = Math.max(most, running);
        await nextTurns();
        running -= 1;
        return items.map(ok);
      },
    });
    await Promise.all(upTo(20).map(batcher.submit));
    expect(most).toBe(3);
  });

  it("returns an item's error to that item only", async () => {
    const batcher = createBatcher<number, number>({
      flush: async (items) => items.map((item) => (item === 2 ? failed(new Error('no twos')) : ok(item))),
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map(batcher.submit));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fails all items of a flush that fails, and continues with the next', async () => {
    let calls = 0;
    const batcher = createBatcher<number, number>({
      flush: async (items) => {
        calls += 1;
        if (calls === 1) throw new Error('the database is away');
        return items.map(ok);
      },
    });
    await expect(batcher.submit(1)).rejects.toThrow('the database is away');
    await expect(batcher.submit(2)).resolves.toBe(2);
  });

  it('refuses items beyond the bound of its queue, and accepts more when the queue shrinks', async () => {
    const { batcher, batches } = doubling({ maxSize: 2, maxQueued: 3 });
    const taken = upTo(3).map(batcher.submit);
    await expect(batcher.submit(3)).rejects.toThrow(BatcherFullError);
    await taken[0];
    await expect(batcher.submit(4)).resolves.toBe(8);
    expect(batches.flat()).toEqual([0, 1, 2, 4]);
  });

  it('finishes its items during a drain, and refuses new ones', async () => {
    const { batcher } = doubling({ maxSize: 1 });
    const taken = upTo(5).map(batcher.submit);
    const drained = batcher.drain();
    await expect(batcher.submit(9)).rejects.toThrow(BatcherClosedError);
    await drained;
    expect(await Promise.all(taken)).toEqual([0, 2, 4, 6, 8]);
  });
});

describe('items that a lock holds up', () => {
  const LOCKED = new Error('locked');

  /** A flush that fails as a whole while one of its items is locked, like a statement that waits for the lock. */
  function lockable({ deadlineOf }: { deadlineOf?: (item: string) => Date } = {}) {
    const locked = new Set<string>();
    const flushed: string[] = [];
    const batcher = createBatcher<string, string>({
      aside: {
        isHeldUp: (error) => error === LOCKED,
        keyOf: (item) => item.slice(0, 1),
        ...(deadlineOf && { deadlineOf }),
      },
      flush: async (items) => {
        if (items.some((item) => locked.has(item))) throw LOCKED;
        flushed.push(...items);
        return items.map(ok);
      },
    });
    return { batcher, locked, flushed };
  }

  it('delay neither their batch nor later ones, and are done soon after the lock is released', async () => {
    const { batcher, locked } = lockable();
    locked.add('b1');
    const heldUp = batcher.submit('b1');
    await Promise.all(['a1', 'c1'].map(batcher.submit));
    await batcher.submit('d1');
    locked.clear();
    expect(await heldUp).toBe('b1');
  });

  it('hold up later items of their key, and keep the order', async () => {
    const { batcher, locked, flushed } = lockable();
    locked.add('a1');
    const early = ['a1', 'a2', 'b1'].map(batcher.submit);
    await early[2];
    const late = ['a3', 'b2'].map(batcher.submit);
    await late[1];
    expect(flushed).toEqual(['b1', 'b2']);
    locked.clear();
    await Promise.all([...early, ...late]);
    expect(flushed).toEqual(['b1', 'b2', 'a1', 'a2', 'a3']);
  });

  it('are retried by a flush of their own, which can wait for a lock more briefly', async () => {
    const flushed = { inBatches: [] as string[][], aside: [] as string[][] };
    const batcher = createBatcher<string, string>({
      aside: { isHeldUp: (error) => error === LOCKED },
      flush: async (items) => {
        flushed.inBatches.push(items);
        if (items.includes('locked')) throw LOCKED;
        return items.map(ok);
      },
      flushAside: async (items) => {
        flushed.aside.push(items);
        return items.map(ok);
      },
    });
    await Promise.all(['locked', 'other'].map(batcher.submit));
    await batcher.submit('later');
    expect(flushed.inBatches).toEqual([['locked', 'other'], ['later']]);
    // Each item has a random pause of its own, so either may be first.
    expect(flushed.aside.toSorted()).toEqual([['locked'], ['other']]);
  });

  it('fail after the deadline of their caller, but never because of another item in the batch', async () => {
    const { batcher, locked } = lockable({ deadlineOf: () => new Date(0) });
    locked.add('a1');
    const results = await Promise.allSettled(['a1', 'b1'].map(batcher.submit));
    expect(results).toMatchObject([{ reason: LOCKED }, { value: 'b1' }]);
  });

  it('are finished by a drain', async () => {
    const { batcher, locked, flushed } = lockable();
    locked.add('a1');
    const both = ['a1', 'b1'].map(batcher.submit);
    await both[1];
    const drained = batcher.drain();
    locked.clear();
    await drained;
    expect(flushed).toEqual(['b1', 'a1']);
  });
});
