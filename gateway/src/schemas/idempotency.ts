/** The Idempotency-Key header: it makes a POST safe to retry. */
import { newId } from '@payflowx/chassis';
import { type Static, Type } from 'typebox';

const key = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[\\x21-\\x7e]+$',
  description:
    'Makes the request safe to retry: the same key with the same request gets the first response again. 1 to 255 visible ASCII characters, unique per caller.',
  examples: ['order-4711-attempt'],
});

/** For every request that moves or holds money. */
export const requiredKey = Type.Object({ 'idempotency-key': key });

export const optionalKey = Type.Object({ 'idempotency-key': Type.Optional(key) });

/**
 * Returns the caller's key, or a new one. The call to the service is retried if its connection breaks, possibly after a commit.
 * The key lets the service deduplicate the retry.
 */
export function keyOf(headers: Static<typeof optionalKey>): string {
  return headers['idempotency-key'] ?? newId('req');
}
