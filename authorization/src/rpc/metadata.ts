/** The limits of metadata in requests. */
import type { Violations } from '@payflowx/chassis';
import { MAX_PAIRS, type Metadata } from '../domain/metadata.ts';

/** The same limits as in the payment service. Together they limit the bytes stored per decision and read by a rule. */
export function requireMetadata(violations: Violations, metadata: Metadata, path = ''): void {
  const field = `${path}metadata`;
  const pairs = Object.entries(metadata);
  violations.require(pairs.length <= MAX_PAIRS, field, `must have at most ${MAX_PAIRS} pairs`);
  for (const [key, value] of pairs) {
    violations.requireText(field, key, 40);
    violations.requireText(field, value, 500);
  }
}
