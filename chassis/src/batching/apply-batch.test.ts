import { describe, expect, it } from 'vitest';
import { currentTrace } from '../telemetry/trace.ts';
import { eventually, testLog } from '../testing/index.ts';
import { createApply, isRetryableError } from './apply-batch.ts';

/** Each message has a trace of its own. */
const traceparentOfMessage = (n: number) => `00-${String(n).padStart(32, 'a')}-b7ad6b7169203331-01`;

function applyTo(apply: (items: number[]) => Promise<void>, storingFails = 0) {
  const buried: number[] = [];
  const stopping = new AbortController();
  const deadLetterTraces: (string | undefined)[] = [];
  let failures = storingFails;
  const deadLetter = async (message: number) => {
    failures -= 1;
    if (failures >= 0) throw away;
    buried.push(message);
    deadLetterTraces.push(currentTrace()?.traceparent);
  };
  const traceparentOf = traceparentOfMessage;
  const { flush, problem } = createApply<number, number>(
    { apply, deadLetter, traceparentOf, stopping: stopping.signal, maxDeadLettersInARow: 3 },
    testLog,
  );
  const run = (count: number, claim = { lost: false }) =>
    flush(Array.from({ length: count }, (_, n) => ({ message: n, value: n, claim })));
  return { run, buried, deadLetterTraces, stopping, problem };
}

const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

describe('applying a batch', () => {
  it('finds the one bad message in a few transactions, and applies the others once and in order', async () => {
    const applied: number[] = [];
    let transactions = 0;
    const { run, buried } = applyTo(async (items) => {
      transactions += 1;
      if (items.includes(77)) throw new Error('The rule says no.');
      applied.push(...items);
    });
    const results = await run(200);
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(buried).toEqual([77]);
    expect(applied).toEqual(Array.from({ length: 200 }, (_, n) => n).filter((n) => n !== 77));
    expect(transactions).toBeLessThan(20);
  });

  it('runs the work for one message in its trace, and for many in none', async () => {
    const traces: (string | undefined)[] = [];
    const { run, deadLetterTraces } = applyTo(async (items) => {
      traces.push(currentTrace()?.traceparent);
      if (items.includes(1)) throw new Error('The rule says no.');
    });
    await run(2);
    const [of0, of1] = [traceparentOfMessage(0), traceparentOfMessage(1)];
    // Both together, then each alone. The second one is tried three times.
    expect(traces).toEqual([undefined, of0, of1, of1, of1]);
    expect(deadLetterTraces).toEqual([of1]);
  });

  it('stores a dead letter until it is stored, and reports the message as done only then', async () => {
    const { run, buried } = applyTo(() => Promise.reject(new Error('The rule says no.')), 2);
    const result = run(1);
    await eventually(() => expect(buried).toEqual([0]));
    expect(await result).toEqual([{ ok: true, value: undefined }]);
  });

  it('reports nothing as done if it stops before a dead letter is stored', async () => {
    const { run, buried, stopping } = applyTo(() => Promise.reject(new Error('The rule says no.')), Infinity);
    const result = run(1);
    stopping.abort();
    expect((await result).map(({ ok }) => ok)).toEqual([false]);
    expect(buried).toEqual([]);
  });

  it('does not reject messages while the database is unavailable', async () => {
    let failures = 5;
    const { run, buried } = applyTo(async () => {
      if (failures-- > 0) throw away;
    });
    expect(await run(1)).toEqual([{ ok: true, value: undefined }]);
    expect(buried).toEqual([]);
  });

  it('stops its retries at shutdown, and reports nothing as applied', async () => {
    const { run, stopping, buried } = applyTo(() => Promise.reject(away));
    const result = run(2);
    stopping.abort();
    expect((await result).map(({ ok }) => ok)).toEqual([false, false]);
    expect(buried).toEqual([]);
  });

  it('gives up messages that the broker has delivered to another consumer', async () => {
    const claim = { lost: false };
    let attempts = 0;
    const { run } = applyTo(async () => {
      attempts += 1;
      claim.lost = true;
      throw away;
    });
    await run(3, claim);
    expect(attempts).toBe(1);
  });

  it('applies nothing more after it gave up messages at shutdown, because the order would be lost', async () => {
    const applied: number[] = [];
    let isAway = true;
    const { run, stopping } = applyTo(async (items) => {
      if (isAway) throw away;
      applied.push(...items);
    });
    const earlier = run(2);
    stopping.abort();
    await earlier;
    isAway = false;
    expect((await run(2)).map(({ ok }) => ok)).toEqual([false, false]);
    expect(applied).toEqual([]);
  });

  it('applies a batch in parts if it is too much for one statement, and never gives up a message for that', async () => {
    let slowAttempts = 4;
    const { run, buried } = applyTo(async (items) => {
      const isSlow = items.length > 2 || (items.includes(5) && slowAttempts-- > 0);
      if (isSlow) throw Object.assign(new Error('canceling statement'), { code: '57014' });
    });
    const results = await run(8);
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(buried).toEqual([]);
  });

  it('keeps the next message after many dead letters in a row, reports it, and continues once it is applied', async () => {
    let isBroken = true;
    const { run, buried, problem } = applyTo(async () => {
      if (isBroken) throw new Error('a bug');
    });
    const results = run(10);
    await eventually(() => expect(problem()).toBe('3 dead letters in a row'));
    expect(buried).toEqual([0, 1, 2]);
    isBroken = false;
    expect((await results).every(({ ok }) => ok)).toBe(true);
    expect(buried).toEqual([0, 1, 2]);
    expect(problem()).toBeUndefined();
  });
});

it.each<[string, unknown, boolean]>([
  ['the server shuts down', { code: '57P01' }, true],
  ['a deadlock', { code: '40P01' }, true],
  ['too many connections', { code: '53300' }, true],
  ['a table that does not exist yet', { code: '42P01' }, true],
  ['a service that is unavailable', { code: 14 }, true],
  ['a network error inside another', new Error('wrapped', { cause: away }), true],
  ['a unique violation', { code: '23505' }, false],
  ['a number out of range', { code: '22003' }, false],
  ['a bug that a message triggers', new TypeError('x is undefined'), false],
])('retries only errors that may end by themselves: %s', (_, error, expected) => {
  expect(isRetryableError(error)).toBe(expected);
});
