import { expect, it } from 'vitest';
import { EventRefused, LedgerError } from './errors.ts';

it('errors have their names', () => {
  expect(new LedgerError('NOT_SEALED_YET', 'Soon.', { retryAfterMs: 5 })).toMatchObject({
    name: 'LedgerError',
    reason: 'NOT_SEALED_YET',
    message: 'Soon.',
    retryAfterMs: 5,
  });
  expect(new EventRefused('No.').name).toBe('EventRefused');
});
