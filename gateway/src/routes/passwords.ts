/** Passwords: changed by their user, reset by an admin, and the one-time password of a reset replaced. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { asCaller, PEOPLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { limitLogins } from '../http/protection.ts';
import { problem } from '../schemas/answers.ts';
import { newPassword, presentPassword, username } from '../schemas/credentials.ts';
import { pathId, UserId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { time, timeJson } from '../schemas/text.ts';

const PasswordChange = named(
  'PasswordChange',
  Type.Object(
    { current_password: presentPassword, new_password: newPassword },
    { additionalProperties: false },
  ),
);

const OneTimePasswordChange = named(
  'OneTimePasswordChange',
  Type.Object(
    { username, one_time_password: presentPassword, new_password: newPassword },
    { additionalProperties: false },
  ),
);

const OneTimePassword = named(
  'OneTimePassword',
  Type.Object({
    one_time_password: Type.String({
      description: 'Shown only in this response.',
      examples: ['h3kxwp-29mztc-ae8ruv-5bnqyd'],
    }),
    expires_at: time('From this time it is not accepted any more.'),
  }),
);

export const passwordSchemas = [PasswordChange, OneTimePasswordChange, OneTimePassword];

interface Options {
  auth: Neighbours['auth'];
  loginsPerMinute: number;
}

export const passwordRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth, loginsPerMinute }) => {
  app.post('/v1/auth/password', {
    config: { access: PEOPLE },
    schema: {
      tags: ['auth'],
      operationId: 'changePassword',
      summary: 'Change your password; your other sessions end',
      body: ref(PasswordChange),
      response: {
        204: Type.Null({ description: 'Changed. This session goes on.' }),
        401: problem(['INVALID_CREDENTIALS'], 'The current password is wrong.'),
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async (request, reply) => {
      const { current_password: currentPassword, new_password: newPassword } = request.body;
      await auth.changePassword({ currentPassword, newPassword }, asCaller(request));
      return reply.code(204).send(null);
    },
  });

  app.post('/v1/auth/one-time-password', {
    config: { access: 'anyone' },
    preHandler: limitLogins(app, {
      perMinute: loginsPerMinute,
      nameOf: (body: Static<typeof OneTimePasswordChange>) => body.username,
    }),
    schema: {
      tags: ['auth'],
      operationId: 'replaceOneTimePassword',
      summary: 'Replace the one-time password of a reset by your own password; then log in with it',
      body: ref(OneTimePasswordChange),
      response: {
        204: Type.Null({ description: 'Replaced.' }),
        401: problem(
          ['INVALID_CREDENTIALS'],
          'An unknown user, a wrong or expired one-time password, and a password that is not a one-time password get the same response.',
        ),
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async ({ body, ip, deadline }, reply) => {
      const message = {
        username: body.username,
        oneTimePassword: body.one_time_password,
        newPassword: body.new_password,
        clientAddress: ip,
      };
      await auth.replaceOneTimePassword(message, { deadline });
      return reply.code(204).send(null);
    },
  });

  app.post('/v1/users/:id/reset-password', {
    config: { access: ['admin'], optionalBody: true, recentLogin: true },
    schema: {
      tags: ['users'],
      operationId: 'resetPassword',
      summary: 'Reset the password of a user; only this response shows the one-time password',
      description:
        'All sessions of the user end. A login with the one-time password is 403 `PASSWORD_CHANGE_REQUIRED`. The user replaces it at `POST /v1/auth/one-time-password` within 24 hours.',
      params: pathId(ref(UserId)),
      body: ref(NoFields),
      response: {
        200: ref(OneTimePassword),
        404: problem(['USER_NOT_FOUND']),
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async (request) => {
      const reset = await auth.resetPassword({ userId: request.params.id }, asCaller(request));
      return { one_time_password: reset.oneTimePassword, expires_at: timeJson(reset.expiresAt) };
    },
  });
};
