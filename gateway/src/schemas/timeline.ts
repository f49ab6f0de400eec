/** Everything that happened to one payment, as clients see it. */
import { type Movement, MovementKind } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { Decision } from './decision.ts';
import { AnyAccountId, RefundId, TransactionId } from './ids.ts';
import { Entry } from './journal.ts';
import { minorUnits } from './money.ts';
import { named, ref } from './named.ts';
import { Notification } from './notification.ts';
import { STATES } from './payment.ts';
import { nullableText, time } from './text.ts';
import { wireNames } from './wire-names.ts';

const MOVEMENTS = wireNames('The effect on the money: it is held, no longer held, or moved.', {
  [MovementKind.HOLD]: 'hold',
  [MovementKind.RELEASE]: 'release',
  [MovementKind.TRANSFER]: 'transfer',
});

const SOURCES = ['payment', 'authorization', 'ledger', 'notification'] as const;
export type Source = (typeof SOURCES)[number];

const EXAMPLE = {
  at: '2026-01-31T12:00:00.006Z',
  source: 'payment',
  type: 'payment.completed',
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  event_id: 'evt_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  state: 'COMPLETED',
  actor_id: 'usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  movements: [
    {
      kind: 'transfer',
      from_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3e',
      to_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3f',
      amount: 1250,
    },
  ],
};

/**
 * One schema for all sources, with members that only some have. A union would be nicer to read, but the serializer picks a branch
 * by validation, and that refuses a bigint in every branch.
 */
const TimelineItem = named(
  'TimelineItem',
  Type.Object(
    {
      at: time('When it happened.'),
      source: Type.Unsafe<Source>({
        type: 'string',
        enum: [...SOURCES],
        description: 'The service that recorded the item. The optional members depend on it.',
      }),
      type: Type.String({
        description:
          'The event, such as `payment.completed` (payment, ledger, notification), or `decision.approved` or `decision.declined` (authorization).',
        examples: ['payment.completed'],
      }),
      trace_id: nullableText(
        'The trace of the request that caused the item; null if a timer caused it, or if it is not known.',
      ),
      refund_id: Type.Optional(ref(RefundId)),
      event_id: Type.Optional(
        Type.String({
          description: 'payment: the event of this step.',
          examples: ['evt_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
        }),
      ),
      state: Type.Optional(
        Type.Unsafe<Static<typeof STATES.schema>>({
          ...STATES.schema,
          description: 'payment: the state after this step.',
        }),
      ),
      actor_id: Type.Optional(
        Type.String({
          description:
            'payment: the user who requested the step. Absent if a timer caused it, or if the reader may not see the user.',
          examples: ['usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
        }),
      ),
      client_id: Type.Optional(
        Type.String({
          description: 'payment: the API client that acted for `actor_id`. Absent if a person did.',
          examples: ['cli_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
        }),
      ),
      movements: Type.Optional(
        Type.Array(
          Type.Object({
            kind: MOVEMENTS.schema,
            from_account: ref(AnyAccountId),
            to_account: ref(AnyAccountId),
            amount: minorUnits('The moved or held amount.'),
          }),
          { description: 'payment: the effects of the step on balances.' },
        ),
      ),
      decision: Type.Optional(ref(Decision)),
      transaction_id: Type.Optional(ref(TransactionId)),
      entries: Type.Optional(
        Type.Array(ref(Entry), {
          description: 'ledger: the entries of the transaction that the reader may see.',
        }),
      ),
      notification: Type.Optional(ref(Notification)),
    },
    { examples: [EXAMPLE] },
  ),
);

export const Timeline = named(
  'Timeline',
  Type.Object({
    data: Type.Array(ref(TimelineItem), { description: 'Sorted by time.' }),
    incomplete: Type.Array(Type.Unsafe<Source>({ type: 'string', enum: [...SOURCES] }), {
      description:
        'Sources with missing items: they did not answer, the token’s scopes do not cover them, or they have more than 1,000 items. Normally empty.',
      examples: [[]],
    }),
  }),
);

export const timelineSchemas = [TimelineItem, Timeline];

export type TimelineItemJson = Static<typeof TimelineItem>;

export const movementJson = ({ kind, fromAccount, toAccount, amountMinor }: Movement) => ({
  kind: MOVEMENTS.nameOf(kind),
  from_account: fromAccount,
  to_account: toAccount,
  amount: amountMinor,
});
