/** Confirms the mail address of a user, with the token of a link that was sent there. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller, EVERY_ROLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { serveConfirmationPage } from '../http/confirmation-page.ts';
import { problem } from '../schemas/answers.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';

const EmailConfirmation = named(
  'EmailConfirmation',
  Type.Object(
    {
      token: Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: '^[A-Za-z0-9_-]+$',
        description: 'From the link in the mail, after `#token=`.',
        examples: ['bm90IGEgdG9rZW4'],
      }),
    },
    { additionalProperties: false },
  ),
);

export const emailConfirmationSchemas = [EmailConfirmation];

interface Options {
  auth: Neighbours['auth'];
}

export const emailConfirmationRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth }) => {
  await serveConfirmationPage(app);

  app.post('/v1/email-confirmations', {
    config: { access: 'anyone' },
    schema: {
      tags: ['users'],
      operationId: 'confirmEmail',
      summary: 'Confirm a mail address with the token of the link that was sent there',
      description: 'The token is valid once, for 24 hours, and for the current address of the user.',
      body: ref(EmailConfirmation),
      response: {
        204: Type.Null({ description: 'Confirmed.' }),
        422: problem(['INVALID_CONFIRMATION_TOKEN']),
      },
    },
    handler: async (request, reply) => {
      await auth.confirmEmail({ token: request.body.token }, { deadline: request.deadline });
      return reply.code(204).send(null);
    },
  });

  app.post('/v1/email-confirmations/resend', {
    config: { access: [...EVERY_ROLE, 'admin'], optionalBody: true },
    schema: {
      tags: ['users'],
      operationId: 'resendEmailConfirmation',
      summary: 'Send another link to your address',
      body: ref(NoFields),
      response: {
        204: Type.Null({ description: 'The link will be sent.' }),
        409: problem(['NO_EMAIL_TO_CONFIRM']),
        429: problem(['TOO_MANY_CONFIRMATIONS']),
      },
    },
    handler: async (request, reply) => {
      await auth.resendEmailConfirmation({}, asCaller(request));
      return reply.code(204).send(null);
    },
  });
};
