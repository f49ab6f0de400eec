/** The sources of dead letters. */
import { DEAD_LETTER_SOURCE_NAMES, type DeadLetterSourceName } from '@payflowx/proto/dead-letters';
import { Type } from 'typebox';

export const DeadLetterSourceSchema = Type.Unsafe<DeadLetterSourceName>({
  type: 'string',
  enum: DEAD_LETTER_SOURCE_NAMES,
  description:
    'Where the message was given up: the topic `payment-events` or a queue, by its consumer; or the outbox of a service, because its broker refuses the message.',
  examples: ['payment-events'],
});
