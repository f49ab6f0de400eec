import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RunQueueFullError, type SharedRunsOptions, sharedRuns } from './shared-runs.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const at = (second: number) => new Date(NOW.getTime() + second * 1_000);

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that ends when the test says so. `started` has the key and the deadline of each run. */
function stage(options: Partial<SharedRunsOptions> = {}) {
  const runs = sharedRuns<string>({ maxQueued: 3, maxCallers: 100, retryAfterMs: 5_000, ...options });
  const started: { key: string; deadline: Date; end(outcome: string | Error): void }[] = [];
  const call = (key: string, deadline = at(10)) =>
    runs.run(key, deadline, (limits) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const end = (outcome: string | Error) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome);
      started.push({ key, deadline: limits.deadline, end });
      return promise;
    });
  const keys = () => started.map(({ key }) => key);
  return { call, started, keys };
}

it('gives thirty callers of one proof two runs: the first caller’s, and one for all who came meanwhile', async () => {
  const { call, started, keys } = stage();
  const first = call('proof');
  const others = Array.from({ length: 29 }, () => call('proof'));
  expect(keys()).toEqual(['proof']);
  started[0]?.end('first');
  expect(await first).toBe('first');
  started[1]?.end('second');
  expect(new Set(await Promise.all(others))).toEqual(new Set(['second']));
  expect(keys()).toEqual(['proof', 'proof']);
});

it('runs different work one after the other, in order of arrival', async () => {
  const { call, started, keys } = stage();
  const [a, b, c, alsoB] = [call('a'), call('b'), call('c'), call('b')];
  for (const [index, key] of ['a', 'b', 'c'].entries()) {
    expect(started).toHaveLength(index + 1);
    started[index]?.end(key);
    await [a, b, c][index];
  }
  expect(await alsoB).toBe('b');
  expect(keys()).toEqual(['a', 'b', 'c']);
});

it('refuses further runs and further callers at once, with the time of a retry', async () => {
  const { call, started } = stage({ maxQueued: 1, maxCallers: 2 });
  const running = call('a');
  const waiting = [call('b'), call('b')];
  for (const key of ['c', 'b']) {
    const refused = await call(key).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RunQueueFullError);
    expect(refused).toMatchObject({ retryAfterMs: 5_000 });
  }
  started[0]?.end('done');
  await running;
  started[1]?.end('done');
  expect(await Promise.all(waiting)).toEqual(['done', 'done']);
});

it('continues after a failed run, which fails for its own callers only', async () => {
  const { call, started } = stage();
  const [failing, next] = [call('a'), call('b')];
  started[0]?.end(new Error('broken'));
  await expect(failing).rejects.toThrow('broken');
  started[1]?.end('done');
  expect(await next).toBe('done');
});

it('continues after work that throws at once', async () => {
  const runs = sharedRuns<string>({ maxQueued: 1, maxCallers: 1, retryAfterMs: 1 });
  const broken = runs.run('a', at(10), () => {
    throw new Error('at once');
  });
  await expect(broken).rejects.toThrow('at once');
  expect(await runs.run('b', at(10), async () => 'done')).toBe('done');
});

it('gives a run the latest deadline of its callers', async () => {
  const { call, started } = stage();
  const calls = [call('a'), call('b', at(20)), call('b', at(30)), call('b', at(25))];
  started[0]?.end('done');
  await calls[0];
  expect(started[1]?.deadline).toEqual(at(30));
  started[1]?.end('done');
  await Promise.all(calls);
});

it('moves on if a run hangs beyond its deadline', async () => {
  const { call, started } = stage();
  const hanging = call('a', at(10));
  const next = call('b', at(60));
  const failed = expect(hanging).rejects.toThrow('did not end at its deadline');
  await vi.advanceTimersByTimeAsync(15_000);
  await failed;
  started[1]?.end('done');
  expect(await next).toBe('done');
});
