/** The choice among instances by calls in flight, without connections: each fake instance is only a subchannel. */
import { type experimental, Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LeastRequestsPicker } from '../src/rpc/least-requests.ts';

interface Picked {
  name: string;
  end: (code: status) => void;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Starts a call at the chosen instance. */
function balance(...names: string[]): () => Picked {
  const instances = names.map((name) => {
    const subchannel = { name, getRealSubchannel: () => subchannel };
    return subchannel;
  });
  let turn = 0;
  const inTurn = { pick: () => ({ subchannel: instances[turn++ % instances.length] }) };
  const picker = new LeastRequestsPicker(inTurn as never, new WeakMap());
  return () => {
    const picked = picker.pick({} as experimental.PickArgs);
    picked.onCallStarted?.();
    return {
      name: (picked.subchannel as unknown as { name: string }).name,
      end: (code) => picked.onCallEnded?.(code, '', new Metadata()),
    };
  };
}

const { UNAVAILABLE, UNAUTHENTICATED, INTERNAL, RESOURCE_EXHAUSTED } = status;

it.each([UNAVAILABLE, UNAUTHENTICATED, INTERNAL, RESOURCE_EXHAUSTED])(
  'an instance that fails at once with code %i gets at most its share in turn',
  (code) => {
    const call = balance('broken', 'slow');
    let failed = 0;
    for (let calls = 0; calls < 100; calls += 1) {
      const { name, end } = call();
      if (name === 'slow') continue;
      failed += 1;
      end(code);
    }
    expect(failed).toBeLessThanOrEqual(50);
  },
);

it('an instance that fails at once gets fewer calls than one that answers in 100 ms', () => {
  const call = balance('broken', 'working');
  let failed = 0;
  // 300 calls a second.
  for (let calls = 0; calls < 1_200; calls += 1) {
    const { name, end } = call();
    if (name === 'working') {
      setTimeout(end, 100, status.OK);
    } else {
      failed += 1;
      end(UNAVAILABLE);
    }
    vi.advanceTimersByTime(10 / 3);
  }
  expect(failed).toBeLessThan(1_200 / 8);
});

it('an instance gets its share again a second after its last failure', () => {
  const call = balance('recovered', 'other');
  for (let calls = 0; calls < 10; calls += 1) {
    const { name, end } = call();
    end(name === 'recovered' ? UNAVAILABLE : status.OK);
  }
  vi.advanceTimersByTime(1_000);
  const names = Array.from({ length: 10 }, () => call().name);
  expect(names.filter((name) => name === 'recovered')).toHaveLength(5);
});

it('a refused request does not count against its instance', () => {
  const call = balance('one', 'other');
  const names = Array.from({ length: 10 }, () => {
    const { name, end } = call();
    end(status.FAILED_PRECONDITION);
    return name;
  });
  expect(names.filter((name) => name === 'one')).toHaveLength(5);
});

it('a hung instance gets no more calls than the other has in flight', () => {
  const call = balance('hung', 'working');
  let atHung = 0;
  for (let calls = 0; calls < 100; calls += 1) {
    const { name, end } = call();
    if (name === 'hung') atHung += 1;
    else end(status.OK);
  }
  expect(atHung).toBe(1);
});
