/** Admins create users. There is no self sign-up. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Role, type User as UserMessage } from '@payflowx/proto/auth';
import { type Static, Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { keyOf, optionalKey } from '../schemas/idempotency.ts';
import { UserId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { time, timeJson } from '../schemas/text.ts';
import { wireNames } from '../schemas/wire-names.ts';

export const ROLES = wireNames('A role of a user.', {
  [Role.CUSTOMER]: 'customer',
  [Role.OPERATOR]: 'operator',
  [Role.AUDITOR]: 'auditor',
  [Role.ADMIN]: 'admin',
});

const User = named(
  'User',
  Type.Object({
    id: ref(UserId),
    username: Type.String({ examples: ['alice'] }),
    roles: Type.Array(ROLES.schema),
    created_at: time('When the user was created.'),
  }),
);
const UserPage = pageOf('UserPage', User);

const NewUser = named(
  'NewUser',
  Type.Object(
    {
      username: Type.String({ pattern: '^[A-Za-z0-9._-]{3,64}$', examples: ['alice'] }),
      password: Type.String({
        minLength: 12,
        maxLength: 256,
        pattern: '^[^\\u0000]*$',
        examples: ['correct horse battery staple'],
      }),
      roles: Type.Array(ROLES.schema, {
        minItems: 1,
        maxItems: 4,
        uniqueItems: true,
        examples: [['customer']],
      }),
    },
    { additionalProperties: false },
  ),
);

export const userSchemas = [User, UserPage, NewUser];

export const userRoutes: FastifyPluginAsyncTypebox<{ auth: Neighbours['auth'] }> = async (app, { auth }) => {
  app.post('/v1/users', {
    config: { access: ['admin'] },
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
      const { username, password, roles } = request.body;
      const message = {
        requestId: keyOf(request.headers),
        username,
        password,
        roles: roles.map(ROLES.numberOf),
      };
      const { user } = await auth.createUser(message, asCaller(request));
      if (!user) throw new Error('The response of auth has no user.');
      return reply.code(201).send(userJson(user));
    },
  });

  app.get('/v1/users', {
    config: { access: ['admin', 'operator'] },
    schema: {
      tags: ['users'],
      operationId: 'listUsers',
      summary: 'List users, newest first',
      querystring: query(pageQuery),
      response: { 200: ref(UserPage) },
    },
    handler: async (request) => {
      const page = await auth.listUsers(pageRequest(request.query), asCaller(request));
      return pageJson(page.users.map(userJson), page.nextPageToken);
    },
  });
};

function userJson({ id, username, roles, createdAt }: UserMessage): Static<typeof User> {
  return { id, username, roles: roles.map(ROLES.nameOf), created_at: timeJson(createdAt) };
}
