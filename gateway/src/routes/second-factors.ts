/** Second factors of users, and the second step of a login. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { SecondFactor as FactorMessage } from '@payflowx/proto/auth';
import { type Static, Type } from 'typebox';
import { asCaller, PEOPLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { limitLogins } from '../http/protection.ts';
import { problem } from '../schemas/answers.ts';
import { printableText } from '../schemas/formats.ts';
import { pathId, SecondFactorId, UserId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import {
  PasskeyAssertion,
  PasskeyCreationOptions,
  PasskeyRegistration,
  passkeyMessage,
} from '../schemas/passkeys.ts';
import { nullableTime, nullableTimeJson, time, timeJson } from '../schemas/text.ts';
import { Tokens, tokensJson } from '../schemas/tokens.ts';

const code = Type.String({
  pattern: '^[0-9]{6}$',
  description: 'The six digits that the authenticator app shows.',
  examples: ['492039'],
});

const kind = Type.Unsafe<'totp' | 'passkey'>({
  type: 'string',
  enum: ['totp', 'passkey'],
  description: 'An authenticator app (RFC 6238), or a passkey (WebAuthn).',
});

const SecondFactor = named(
  'SecondFactor',
  Type.Object({
    id: ref(SecondFactorId),
    kind,
    name: Type.String({ description: 'A name for people to read.', examples: ['Phone'] }),
    created_at: time('When it was made.'),
    confirmed_at: nullableTime('Logins need it from then on; null if it is not confirmed.'),
    last_used_at: nullableTime('The newest login with this passkey; null if there was none, and for an app.'),
  }),
);

const SecondFactors = named(
  'SecondFactors',
  Type.Object({
    data: Type.Array(ref(SecondFactor)),
    recovery_codes_left: Type.Integer({ description: 'Recovery codes that were not used.' }),
    passkey_origins: Type.Array(Type.String({ examples: ['https://pay.example'] }), {
      description: 'The origins of pages that can use passkeys. Empty: this platform has no passkeys.',
    }),
  }),
);

const NewSecondFactor = named(
  'NewSecondFactor',
  Type.Object(
    {
      kind,
      name: Type.Optional(printableText(100, 'A name for people to read.', 'Phone')),
    },
    { additionalProperties: false },
  ),
);

const CreatedSecondFactor = named(
  'CreatedSecondFactor',
  Type.Object({
    factor: ref(SecondFactor),
    secret: Type.Optional(
      Type.String({
        description: 'Of an app: the secret in base32. Shown only in this response.',
        examples: ['DVSG35CNLHZL7S6RCWIUCNHJNGDZOOCA'],
      }),
    ),
    uri: Type.Optional(
      Type.String({
        description: 'Of an app: the same as an address for a QR code.',
        examples: ['otpauth://totp/PayFlowX:alice?issuer=PayFlowX&secret=DVSG35CNLHZL7S6RCWIUCNHJNGDZOOCA'],
      }),
    ),
    passkey_options: Type.Optional(ref(PasskeyCreationOptions)),
  }),
);

const SecondFactorConfirmation = named(
  'SecondFactorConfirmation',
  Type.Object(
    { code: Type.Optional(code), passkey: Type.Optional(ref(PasskeyRegistration)) },
    {
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      description: 'An app needs `code`, a passkey needs `passkey`.',
      examples: [{ code: '492039' }],
    },
  ),
);

const ConfirmedSecondFactor = named(
  'ConfirmedSecondFactor',
  Type.Object({
    factor: ref(SecondFactor),
    recovery_codes: Type.Array(Type.String({ examples: ['1f0c3-9b2e7-4d5a8-6c1d0'] }), {
      description:
        'Each replaces a code once. Shown only in this response; earlier ones are not accepted any more.',
    }),
  }),
);

const challenge = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9_-]+$',
  description: 'The `challenge` of the login’s response. It is valid for 5 minutes.',
  examples: ['bm90IGEgY2hhbGxlbmdl'],
});

export const LoginCompletion = named(
  'LoginCompletion',
  Type.Object(
    {
      challenge,
      code: Type.Optional(code),
      recovery_code: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 64,
          pattern: '^[0-9A-Fa-f -]+$',
          description: 'In place of `code`, if the app is lost.',
          examples: ['1f0c3-9b2e7-4d5a8-6c1d0'],
        }),
      ),
      passkey: Type.Optional(ref(PasskeyAssertion)),
    },
    {
      additionalProperties: false,
      minProperties: 2,
      description:
        'With `code`, `recovery_code` or `passkey`. Of several, only one counts: the recovery code, or else the passkey.',
      examples: [{ challenge: 'bm90IGEgY2hhbGxlbmdl', code: '492039' }],
    },
  ),
);

export const secondFactorSchemas = [
  ...[SecondFactor, SecondFactors, NewSecondFactor, CreatedSecondFactor],
  ...[SecondFactorConfirmation, ConfirmedSecondFactor, LoginCompletion],
];

const INVALID = problem(
  ['INVALID_SECOND_FACTOR'],
  'The code or the passkey is wrong or was used, or the challenge is unknown, used or expired.',
);

interface Options {
  auth: Neighbours['auth'];
  loginsPerMinute: number;
}

export const secondFactorRoutes: FastifyPluginAsyncTypebox<Options> = async (
  app,
  { auth, loginsPerMinute },
) => {
  app.post('/v1/auth/login/second-factor', {
    config: { access: 'anyone' },
    preHandler: limitLogins(app, {
      perMinute: loginsPerMinute,
      nameOf: (body: Static<typeof LoginCompletion>) => body.challenge,
    }),
    schema: {
      tags: ['auth'],
      operationId: 'completeLogin',
      summary: 'Complete a login with a second factor',
      body: ref(LoginCompletion),
      response: { 200: ref(Tokens), 401: INVALID, 429: problem(['TOO_MANY_LOGINS']) },
    },
    handler: async ({ body, deadline }) => {
      return tokensJson((await auth.completeLogin(completionMessage(body), { deadline })).tokens);
    },
  });

  app.post('/v1/auth/second-factors', {
    config: { access: PEOPLE, recentLogin: true, setup: true },
    schema: {
      tags: ['auth'],
      operationId: 'createSecondFactor',
      summary: 'Add an authenticator app or a passkey; logins need it after it is confirmed',
      body: ref(NewSecondFactor),
      response: {
        201: ref(CreatedSecondFactor),
        409: problem(['TOO_MANY_SECOND_FACTORS', 'PASSKEYS_NOT_AVAILABLE']),
      },
    },
    handler: async (request, reply) => {
      const { kind, name = NAMES[kind] } = request.body;
      const created = await auth.createSecondFactor({ kind, name }, asCaller(request));
      const factor = factorJson(created.factor);
      reply.code(201);
      if (kind === 'passkey') return { factor, passkey_options: JSON.parse(created.passkeyOptions) };
      return { factor, secret: created.secret, uri: created.uri };
    },
  });

  app.post('/v1/auth/second-factors/:id/confirm', {
    config: { access: PEOPLE, recentLogin: true, setup: true },
    schema: {
      tags: ['auth'],
      operationId: 'confirmSecondFactor',
      summary: 'Confirm a second factor; only this response shows the recovery codes',
      params: pathId(ref(SecondFactorId)),
      body: ref(SecondFactorConfirmation),
      response: {
        200: ref(ConfirmedSecondFactor),
        401: INVALID,
        404: problem(['SECOND_FACTOR_NOT_FOUND']),
        409: problem(['PASSKEYS_NOT_AVAILABLE']),
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async (request) => {
      const { code = '', passkey } = request.body;
      const message = { factorId: request.params.id, code, ...passkeyMessage(passkey) };
      const { factor, recoveryCodes } = await auth.confirmSecondFactor(message, asCaller(request));
      return { factor: factorJson(factor), recovery_codes: recoveryCodes };
    },
  });

  app.get('/v1/auth/second-factors', {
    config: { access: PEOPLE, setup: true },
    schema: {
      tags: ['auth'],
      operationId: 'listSecondFactors',
      summary: 'List your second factors, the oldest first',
      response: { 200: ref(SecondFactors) },
    },
    handler: async (request) => {
      const { factors, ...more } = await auth.listSecondFactors({}, asCaller(request));
      return {
        data: factors.map(factorJson),
        recovery_codes_left: more.recoveryCodesLeft,
        passkey_origins: more.passkeyOrigins,
      };
    },
  });

  app.delete('/v1/auth/second-factors/:id', {
    config: { access: PEOPLE, recentLogin: true, setup: true },
    schema: {
      tags: ['auth'],
      operationId: 'deleteSecondFactor',
      summary: 'Remove one of your second factors',
      params: pathId(ref(SecondFactorId)),
      response: {
        204: Type.Null({ description: 'Removed.' }),
        404: problem(['SECOND_FACTOR_NOT_FOUND']),
        409: problem(
          ['LAST_SECOND_FACTOR'],
          'Your role needs a second factor, and you have no other one. Add one first.',
        ),
      },
    },
    handler: async (request, reply) => {
      await auth.deleteSecondFactor({ factorId: request.params.id }, asCaller(request));
      return reply.code(204).send(null);
    },
  });

  app.delete('/v1/users/:id/second-factors', {
    config: { access: ['admin'], recentLogin: true },
    schema: {
      tags: ['users'],
      operationId: 'deleteUserSecondFactors',
      summary: 'Remove all second factors of a user who lost them',
      params: pathId(ref(UserId)),
      response: { 204: Type.Null({ description: 'Removed.' }), 404: problem(['USER_NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      await auth.deleteUserSecondFactors({ userId: request.params.id }, asCaller(request));
      return reply.code(204).send(null);
    },
  });
};

const NAMES = { totp: 'Authenticator app', passkey: 'Passkey' };

export function completionMessage(body: Static<typeof LoginCompletion>) {
  const { challenge, code = '', recovery_code: recoveryCode = '', passkey } = body;
  return { challenge, code, recoveryCode, ...passkeyMessage(passkey) };
}

function factorJson(factor: FactorMessage | undefined): Static<typeof SecondFactor> {
  if (!factor) throw new Error('The response of auth has no second factor.');
  return {
    id: factor.id,
    kind: factor.kind === 'passkey' ? 'passkey' : 'totp',
    name: factor.name,
    created_at: timeJson(factor.createdAt),
    confirmed_at: nullableTimeJson(factor.confirmedAt),
    last_used_at: nullableTimeJson(factor.lastUsedAt),
  };
}
