/** Admins create users. There is no self sign-up. For changes see user-changes.ts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { newPassword } from '../schemas/credentials.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { named, ref } from '../schemas/named.ts';
import { Metadata } from '../schemas/notes.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { text } from '../schemas/text.ts';
import { ROLES, roleSet, User, userJson } from '../schemas/user.ts';
import { withETag } from '../schemas/versions.ts';

const UserPage = pageOf('UserPage', User);

const NewUser = named(
  'NewUser',
  Type.Object(
    {
      username: Type.String({ pattern: '^[A-Za-z0-9._-]{3,64}$', examples: ['alice'] }),
      password: Type.Optional(newPassword),
      roles: roleSet,
      external_id: Type.Optional(
        text(100, 'Your own id for it. Several users may have the same.', 'person-4711'),
      ),
      metadata: Type.Optional(Metadata),
    },
    {
      additionalProperties: false,
      description:
        'Without a password only API clients act for the user: it cannot log in. `POST /v1/users/{id}/reset-password` gives it one.',
    },
  ),
);

export const userSchemas = [User, UserPage, NewUser];

export const userRoutes: FastifyPluginAsyncTypebox<{ auth: Neighbours['auth'] }> = async (app, { auth }) => {
  app.post('/v1/users', {
    config: { access: ['admin'], recentLogin: true },
    schema: {
      tags: ['users'],
      operationId: 'createUser',
      summary: 'Create a user',
      description:
        'A user may have several roles. To separate duties, give `operator` and `admin` to different users.',
      headers: optionalKey,
      body: ref(NewUser),
      response: {
        201: ref(User),
        409: problem(['USERNAME_TAKEN']),
        422: problem(['IDEMPOTENCY_KEY_REUSED']),
        429: problem(['TOO_MANY_LOGINS']),
      },
    },
    handler: async (request, reply) => {
      const { username, password = '', roles, external_id = '', metadata = {} } = request.body;
      const message = {
        requestId: keyOf(request.headers),
        username,
        password,
        roles: roles.map(ROLES.numberOf),
        externalId: external_id,
        metadata,
      };
      const { user } = await auth.createUser(message, asCaller(request));
      reply.code(201);
      return withETag(userJson(user), reply);
    },
  });

  app.get('/v1/users', {
    config: { access: ['admin', 'operator'] },
    schema: {
      tags: ['users'],
      operationId: 'listUsers',
      summary: 'List users, newest first',
      querystring: query({
        ...pageQuery,
        username: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 64,
            description: 'Only the user with this name, in any case of letters.',
            examples: ['alice'],
          }),
        ),
        external_id: Type.Optional({
          ...text(100, 'Only users with exactly this external id.', 'person-4711'),
          minLength: 1,
        }),
      }),
      response: { 200: ref(UserPage) },
    },
    handler: async (request) => {
      const { username, external_id: externalId } = request.query;
      const message = { ...pageRequest(request.query), username, externalId };
      const page = await auth.listUsers(message, asCaller(request));
      return pageJson(page.users.map(userJson), page.nextPageToken);
    },
  });
};
