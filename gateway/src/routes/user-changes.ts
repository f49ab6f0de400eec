/** One user, and its changes by admins. Each change leaves a record: see audit.ts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { UserState } from '@payflowx/proto/auth';
import { Type } from 'typebox';
import { asCaller } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { pathId, UserId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { emptyIfNull, MetadataChanges, metadataChange, removableText } from '../schemas/notes.ts';
import { ROLES, roleSet, User, userJson } from '../schemas/user.ts';
import { requiredVersion, versionOf, withETag } from '../schemas/versions.ts';

const UserChanges = named(
  'UserChanges',
  Type.Object(
    {
      roles: Type.Optional(roleSet),
      email: Type.Optional(
        Type.Unsafe<string | null>({
          type: ['string', 'null'],
          maxLength: 254,
          pattern: '^[^\\s@]{1,64}@[^\\s@]+$',
          description: 'A changed address is not verified. Null removes it.',
          examples: ['alice@example.com'],
        }),
      ),
      language: Type.Optional(
        Type.Unsafe<string | null>({
          type: ['string', 'null'],
          pattern: '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$',
          description: 'A BCP 47 tag. Null: the default of the platform.',
          examples: ['de-CH'],
        }),
      ),
      external_id: Type.Optional(removableText(100, 'Your own id for it. Null removes it.', 'person-4711')),
      metadata: Type.Optional(MetadataChanges),
    },
    { additionalProperties: false, description: 'Absent fields keep their value.' },
  ),
);

export const userChangeSchemas = [UserChanges];

const STATE_CHANGES = [
  {
    action: 'disable',
    state: UserState.DISABLED,
    summary:
      'Disable a user: its sessions end, and its tokens and those of its API clients are refused within 5 seconds',
  },
  { action: 'enable', state: UserState.ENABLED, summary: 'Enable a user: it may log in again' },
] as const;

interface Options {
  auth: Neighbours['auth'];
}

export const userChangeRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth }) => {
  app.get('/v1/users/:id', {
    config: { access: ['admin', 'operator'] },
    schema: {
      tags: ['users'],
      operationId: 'getUser',
      summary: 'Get a user',
      params: pathId(ref(UserId)),
      response: { 200: ref(User), 404: problem(['USER_NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      const { user } = await auth.getUser({ userId: request.params.id }, asCaller(request));
      return withETag(userJson(user), reply);
    },
  });

  app.patch('/v1/users/:id', {
    config: { access: ['admin'], recentLogin: true },
    schema: {
      tags: ['users'],
      operationId: 'updateUser',
      summary: 'Change a user’s roles, how to reach the person, or what describes it',
      description:
        'The last enabled operator keeps the role `operator`, and the last enabled admin the role `admin`.',
      params: pathId(ref(UserId)),
      headers: requiredVersion,
      body: ref(UserChanges),
      response: {
        200: ref(User),
        404: problem(['USER_NOT_FOUND']),
        409: problem(['LAST_OPERATOR']),
        412: problem(['VERSION_MISMATCH'], '`version` is the current version.'),
        428: problem(['PRECONDITION_REQUIRED']),
      },
    },
    handler: async (request, reply) => {
      const { roles, email, language, external_id, metadata } = request.body;
      const message = {
        userId: request.params.id,
        expectedVersion: versionOf(request.headers['if-match']),
        roles: roles && { roles: roles.map(ROLES.numberOf) },
        email: emptyIfNull(email),
        language: emptyIfNull(language),
        externalId: emptyIfNull(external_id),
        ...metadataChange(metadata),
      };
      const { user } = await auth.updateUser(message, asCaller(request));
      return withETag(userJson(user), reply);
    },
  });

  for (const { action, state, summary } of STATE_CHANGES) {
    app.post(`/v1/users/:id/${action}`, {
      config: { access: ['admin'], optionalBody: true, recentLogin: true },
      schema: {
        tags: ['users'],
        operationId: `${action}User`,
        summary,
        description: 'If the user is in this state already, nothing changes.',
        params: pathId(ref(UserId)),
        body: ref(NoFields),
        response: {
          200: ref(User),
          404: problem(['USER_NOT_FOUND']),
          ...(action === 'disable' && { 409: problem(['LAST_OPERATOR']) }),
        },
      },
      handler: async (request, reply) => {
        const { user } = await auth.changeUserState({ userId: request.params.id, state }, asCaller(request));
        return withETag(userJson(user), reply);
      },
    });
  }
};
