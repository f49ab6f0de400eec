import { expect, it } from 'vitest';
import { invalid } from './errors.ts';

it('a refusal of an argument names its field, in its text and as a violation', () => {
  expect(invalid('url', 'must be an https address')).toMatchObject({
    name: 'NotificationError',
    reason: 'INVALID_ARGUMENT',
    message: 'url must be an https address.',
    violations: [{ field: 'url', description: 'must be an https address' }],
  });
});
