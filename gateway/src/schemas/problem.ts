/** The schema of an error response (RFC 9457), for the document and the serializer. problem.ts creates the responses. */
import { type TSchema, Type } from 'typebox';
import { minorUnits } from './money.ts';
import { named, ref } from './named.ts';

const PROBLEM_EXAMPLE = {
  type: 'urn:payflowx:problem:invalid-request',
  title: 'The request is not valid',
  status: 400,
  detail: 'amount must be >= 1.',
  instance: '/v1/payments',
  code: 'INVALID_REQUEST',
  request_id: 'req_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  errors: [{ pointer: '/amount', detail: 'must be >= 1', in: 'body' }],
};

const members = {
  type: Type.String({ description: 'Names the kind of problem; one for each `code`.' }),
  title: Type.String({ description: 'The kind of problem in words; the same for each `code`.' }),
  status: Type.Integer({ description: 'The HTTP status.' }),
  detail: Type.String({ description: 'What happened this time, for people.' }),
  instance: Type.String({ description: 'What was asked for: the path.' }),
  code: Type.String({ description: 'Stable, for programs.', examples: ['INVALID_REQUEST'] }),
  request_id: Type.String({ description: 'This request, as in `x-request-id`.' }),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        pointer: Type.String({ description: 'JSON pointer (RFC 6901) into what `in` names.' }),
        detail: Type.String(),
        in: Type.Unsafe<'body' | 'query' | 'header'>({ type: 'string', enum: ['body', 'query', 'header'] }),
      }),
      { description: 'What is wrong with the request, place by place.' },
    ),
  ),
};

export const Problem = named(
  'Problem',
  Type.Object(
    {
      ...members,
      error_id: Type.Optional(Type.String({ description: 'Ask support about this. With code INTERNAL.' })),
      state: Type.Optional(Type.String({ description: 'The state that does not allow it.' })),
      allowed_actions: Type.Optional(Type.Array(Type.String(), { description: 'What the state allows.' })),
      version: Type.Optional(
        Type.Integer({ description: 'With code VERSION_MISMATCH: the current version.' }),
      ),
      available: Type.Optional(minorUnits('What is left to capture or refund.')),
      balance: Type.Optional(
        Type.Object(
          { posted: minorUnits('What is there.'), held: minorUnits('What of it is promised.') },
          { description: 'With code ACCOUNT_NOT_EMPTY.' },
        ),
      ),
      not_serving: Type.Optional(Type.Array(Type.String(), { description: 'With code NOT_READY.' })),
    },
    { description: 'Why the request was refused.', examples: [PROBLEM_EXAMPLE] },
  ),
);

/** The 402 of a payment: the payment exists, was declined, and is in the body. */
export const declinedProblem = <T extends TSchema & { $id: string }>(payment: T) =>
  named(
    'DeclinedProblem',
    Type.Object(
      {
        ...members,
        payment: ref(payment),
        limit: Type.Optional(minorUnits('With a limit’s code: the limit. A count for DAILY_COUNT_EXCEEDED.')),
        used: Type.Optional(minorUnits('How much of the limit was used before.')),
        resets_at: Type.Optional(
          Type.String({ format: 'date-time', description: 'When the limit starts anew.' }),
        ),
      },
      { description: 'The payment was declined: it exists, is FAILED, and nothing moved.' },
    ),
  );

/** The 402 of a refund: the refund exists, was declined, and is in the body. */
export const declinedRefundProblem = <T extends TSchema & { $id: string }>(refund: T) =>
  named(
    'DeclinedRefundProblem',
    Type.Object(
      { ...members, refund: ref(refund) },
      { description: 'The refund was declined: it exists, is FAILED, and nothing moved.' },
    ),
  );
