/** The header that makes a POST safe to send again. */
import { newId } from '@payflowx/chassis';
import { type Static, Type } from 'typebox';

const key = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[\\x21-\\x7e]+$',
  description:
    'Makes the request safe to send again: the same key and request give the first answer again. 1 to 255 visible ASCII characters, unique per caller.',
  examples: ['order-4711-attempt'],
});

/** For whatever moves or holds money. */
export const requiredKey = Type.Object({ 'idempotency-key': key });

export const optionalKey = Type.Object({ 'idempotency-key': Type.Optional(key) });

/**
 * The caller's key, or one of ours. The call to the service is sent again when its connection breaks, which may be after a commit:
 * by the key the service recognises it.
 */
export function keyOf(headers: Static<typeof optionalKey>): string {
  return headers['idempotency-key'] ?? newId('req');
}
