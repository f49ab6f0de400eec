import { describe, expect, it } from 'vitest';
import { Timestamp } from '../gen/google/protobuf/timestamp.ts';
import { GetStatementRequest } from '../gen/payflowx/ledger/v1/ledger.ts';
import { fromTimestamp, roundedDown, toTimestamp } from './timestamp.ts';
import { messageWriter } from './writer.ts';

const SECOND = '2026-11-27T18:00:00';
const at = (nanos: number, seconds = BigInt(Date.parse(`${SECOND}Z`) / 1_000)) => ({ seconds, nanos });

describe('a Timestamp', () => {
  it.each([
    [0, '.000Z', '.000Z'],
    [123_000_000, '.123Z', '.123Z'],
    [123_000_001, '.124Z', '.123Z'],
    [123_999_999, '.124Z', '.123Z'],
    [122_999_999, '.123Z', '.122Z'],
  ])('with %d ns is read as %s, up to and including as %s', (nanos, up, down) => {
    const read = fromTimestamp(at(nanos));
    expect(read.toISOString()).toBe(SECOND + up);
    expect(roundedDown(read).toISOString()).toBe(SECOND + down);
  });

  it('at the end of a day is rounded up to the next day', () => {
    expect(fromTimestamp(at(999_999_999)).toISOString()).toBe('2026-11-27T18:00:01.000Z');
  });

  it('keeps the value of a Date, also before 1970', () => {
    for (const text of ['1969-12-31T23:59:59.999Z', '1000-01-01T00:00:00.001Z', `${SECOND}.123Z`]) {
      const date = new Date(text);
      expect(toTimestamp(date).nanos).toBeGreaterThanOrEqual(0);
      expect(fromTimestamp(toTimestamp(date))).toEqual(date);
    }
  });

  it.each([at(-1), at(1_000_000_000), at(0, -62_135_596_801n), at(0, 253_402_300_800n)])(
    'outside the range of its contract is refused: %o',
    (timestamp) => {
      expect(() => fromTimestamp(timestamp)).toThrow(RangeError);
    },
  );

  it('in a message is read by the same rules', () => {
    const writer = messageWriter().uint32((2 << 3) | 2);
    Timestamp.encode({ seconds: 1n, nanos: 1 }, writer.fork()).join();
    expect(GetStatementRequest.decode(writer.finish()).from).toEqual(new Date(1_001));
  });
});
