import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeRecord, type KafkaRecord } from './kafkajs-record.ts';

const original = createRequire(import.meta.url)(
  'kafkajs/src/protocol/recordBatch/record/v0/index.js',
) as typeof encodeRecord;

const bytes = fc.uint8Array({ maxLength: 700 }).map((array) => Buffer.from(array));
const value = fc.oneof(bytes, fc.string({ unit: 'grapheme', maxLength: 200 }));
const headers = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(value, fc.array(value)), {
  maxKeys: 12,
});
const record: fc.Arbitrary<KafkaRecord> = fc.record({
  offsetDelta: fc.nat(5_000),
  timestampDelta: fc.nat(2 ** 30),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers,
});

it('returns the same bytes as kafkajs', () => {
  fc.assert(
    fc.property(record, (given) => {
      expect(encodeRecord(given).buffer).toEqual(original(given).buffer);
    }),
  );
});
