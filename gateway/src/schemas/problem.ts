/** The schema of an error response (RFC 9457), for the document and the serializer. problem.ts creates the responses. */
import { type TSchema, Type } from 'typebox';
import { ALL_CODES } from '../problems/problem-codes.ts';
import { minorUnits } from './money.ts';
import { named, ref } from './named.ts';
import { NEW_VALUES, openEnum } from './open-enum.ts';
import { PasskeyRequestOptions } from './passkeys.ts';

const PROBLEM_EXAMPLE = {
  type: 'urn:payflowx:problem:invalid-request',
  title: 'The request is not valid',
  status: 400,
  detail: 'amount must be >= 1.',
  instance: '/v1/payments',
  code: 'INVALID_REQUEST',
  request_id: 'req_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  retryable: false,
  errors: [{ pointer: '/amount', detail: 'must be >= 1', in: 'body' }],
};

const members = {
  type: Type.String({ description: 'The kind of problem; each `code` has one.' }),
  title: Type.String({ description: 'The kind of problem in words; each `code` has one.' }),
  status: Type.Integer({ description: 'The HTTP status.' }),
  detail: Type.String({ description: 'The error of this request, for people to read.' }),
  instance: Type.String({ description: 'The requested path, or that of the declined payment.' }),
  code: openEnum(ALL_CODES, {
    description: `A stable code for programs. ${NEW_VALUES} docs/integrators/errors.md says what to do about each.`,
    examples: ['INVALID_REQUEST'],
  }),
  request_id: Type.String({ description: 'The id of this request, as in `x-request-id`.' }),
  retryable: Type.Boolean({
    description:
      'True if the same request, with the same key, may succeed later. Wait for `Retry-After` if the response has it.',
  }),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the part that `in` names.' }),
        detail: Type.String(),
        in: Type.Unsafe<'body' | 'query' | 'header' | 'path'>({
          type: 'string',
          enum: ['body', 'query', 'header', 'path'],
        }),
      }),
      { description: 'The errors in the request, by place.' },
    ),
  ),
};

export const Problem = named(
  'Problem',
  Type.Object(
    {
      ...members,
      error_id: Type.Optional(
        Type.String({ description: 'With code INTERNAL: the id of the error, for questions to support.' }),
      ),
      state: Type.Optional(Type.String({ description: 'With code INVALID_STATE: the current state.' })),
      allowed_actions: Type.Optional(
        Type.Array(Type.String(), {
          description: 'With code INVALID_STATE: the actions that the state allows.',
        }),
      ),
      allowed: Type.Optional(
        Type.Unsafe<'payer' | 'payee' | 'operator'>({
          type: 'string',
          enum: ['payer', 'payee', 'operator'],
          description: 'With code ACTION_NOT_ALLOWED: the side that may do this. Operators may do all.',
        }),
      ),
      version: Type.Optional(
        Type.Integer({ description: 'With code VERSION_MISMATCH: the current version.' }),
      ),
      challenge: Type.Optional(
        Type.String({ description: 'With code SECOND_FACTOR_REQUIRED: what completes the login.' }),
      ),
      methods: Type.Optional(
        Type.Array(
          Type.Unsafe<'totp' | 'passkey' | 'recovery_code'>({
            type: 'string',
            enum: ['totp', 'passkey', 'recovery_code'],
          }),
          { description: 'With code SECOND_FACTOR_REQUIRED: how you can complete the login.' },
        ),
      ),
      passkey_options: Type.Optional(ref(PasskeyRequestOptions)),
      available: Type.Optional(minorUnits('The amount that is left to capture or refund.')),
      balance: Type.Optional(
        Type.Object(
          { posted: minorUnits('Money in the account.'), held: minorUnits('The held part.') },
          { description: 'With code ACCOUNT_NOT_EMPTY: the balance.' },
        ),
      ),
      not_serving: Type.Optional(
        Type.Array(Type.String(), { description: 'With code NOT_READY: services that do not serve.' }),
      ),
    },
    { description: 'The reason why a request was refused.', examples: [PROBLEM_EXAMPLE] },
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
        limit: Type.Optional(
          minorUnits('With the code of a limit: the limit. A count for DAILY_COUNT_EXCEEDED.'),
        ),
        used: Type.Optional(minorUnits('The part of the limit that was used before.')),
        resets_at: Type.Optional(
          Type.String({ format: 'date-time', description: 'When the limit starts again at 0.' }),
        ),
      },
      { description: 'The payment was declined. It exists, is FAILED, and no money moved.' },
    ),
  );

/** The 402 of a refund: the refund exists, was declined, and is in the body. */
export const declinedRefundProblem = <T extends TSchema & { $id: string }>(refund: T) =>
  named(
    'DeclinedRefundProblem',
    Type.Object(
      { ...members, refund: ref(refund) },
      { description: 'The refund was declined. It exists, is FAILED, and no money moved.' },
    ),
  );
