import { expect, it } from 'vitest';
import { Parcel } from './outbox.ts';
import { messageWriter } from './writer.ts';

const parcelOf = (key: string) => ({
  events: [
    {
      id: '1',
      type: '',
      source: '',
      time: undefined,
      subject: '',
      traceparent: '',
      key,
      payload: Buffer.of(),
    },
  ],
});
const keyIn = (bytes: Uint8Array) => Parcel.decode(bytes).events[0]?.key;

it('encodes a message completely after an earlier one that failed', () => {
  const broken = { events: [null as never] };
  expect(() => Parcel.encode(broken)).toThrow();
  const bytes = ['a', 'b'.repeat(300), 'c'].map((key) => Parcel.encode(parcelOf(key)).finish());
  expect(bytes.map(keyIn)).toEqual(['a', 'b'.repeat(300), 'c']);
});

it('returns another writer while a message is being written', () => {
  const outer = messageWriter().uint32(1);
  const inner = Parcel.encode(parcelOf('inner')).finish();
  expect(keyIn(inner)).toBe('inner');
  expect([...outer.finish()]).toEqual([1]);
});

it('does not overwrite the bytes of the previous message', () => {
  const first = Parcel.encode(parcelOf('first')).finish();
  Parcel.encode(parcelOf('second')).finish();
  expect(keyIn(first)).toBe('first');
});
