import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { murmur2 } from './partitioner.ts';

/** `make mutate` draws fewer cases. */
const { numRuns: USUAL_RUNS = 100 } = fc.readConfigureGlobal();

const original = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
  key: Buffer,
) => number;

it('hashes keys of every length like other clients', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (key) => {
      expect(murmur2(key)).toBe(original(Buffer.from(key)));
    }),
    { numRuns: 5 * USUAL_RUNS },
  );
});
