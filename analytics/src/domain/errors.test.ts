import { expect, it } from 'vitest';
import { AnalyticsError, EventRefused } from './errors.ts';

it('errors have their names', () => {
  expect(new AnalyticsError('INVALID_ARGUMENT', 'No.')).toMatchObject({
    name: 'AnalyticsError',
    reason: 'INVALID_ARGUMENT',
    message: 'No.',
  });
  expect(new EventRefused('No.').name).toBe('EventRefused');
});
