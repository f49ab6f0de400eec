/** Sessions: logins that have not ended. Users see and end their own ones, and admins those of all users. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { AuthSession as SessionMessage } from '@payflowx/proto/auth';
import { type Static, Type } from 'typebox';
import { asCaller, PEOPLE } from '../access/access.ts';
import type { Neighbours } from '../clients/neighbours.ts';
import { problem } from '../schemas/answers.ts';
import { pathId, SessionId, UserId } from '../schemas/ids.ts';
import { named, ref } from '../schemas/named.ts';
import { NoFields } from '../schemas/no-fields.ts';
import { pageJson, pageOf, pageQuery, pageRequest, query } from '../schemas/page.ts';
import { time, timeJson } from '../schemas/text.ts';

const Session = named(
  'Session',
  Type.Object({
    id: ref(SessionId),
    created_at: time('When the user logged in.'),
    last_used_at: time('When the session last got tokens.'),
    expires_at: time('When the session ends, unless it gets tokens before.'),
    current: Type.Boolean({ description: 'True for the session of this request.' }),
  }),
);
const SessionPage = pageOf('SessionPage', Session);

export const sessionSchemas = [Session, SessionPage];

const ENDED = {
  204: Type.Null({ description: 'Ended. Every service refuses its access tokens within 5 seconds.' }),
};

interface Options {
  auth: Neighbours['auth'];
}

export const sessionRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { auth }) => {
  app.get('/v1/auth/sessions', {
    config: { access: PEOPLE },
    schema: {
      tags: ['auth'],
      operationId: 'listSessions',
      summary: 'List your sessions that have not ended, newest first',
      querystring: query(pageQuery),
      response: { 200: ref(SessionPage) },
    },
    handler: async (request) => {
      const page = await auth.listSessions(pageRequest(request.query), asCaller(request));
      return pageJson(page.sessions.map(sessionJson), page.nextPageToken);
    },
  });

  app.post('/v1/auth/sessions/:id/revoke', {
    config: { access: PEOPLE, optionalBody: true },
    schema: {
      tags: ['auth'],
      operationId: 'revokeSession',
      summary: 'End one of your sessions',
      params: pathId(ref(SessionId)),
      body: ref(NoFields),
      response: { ...ENDED, 404: problem(['SESSION_NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      await auth.revokeSession({ sessionId: request.params.id }, asCaller(request));
      return reply.code(204).send(null);
    },
  });

  app.post('/v1/auth/logout-everywhere', {
    config: { access: PEOPLE, optionalBody: true },
    schema: {
      tags: ['auth'],
      operationId: 'logoutEverywhere',
      summary: 'End all of your sessions, this one too',
      body: ref(NoFields),
      response: ENDED,
    },
    handler: async (request, reply) => {
      await auth.revokeAllSessions({}, asCaller(request));
      return reply.code(204).send(null);
    },
  });

  app.get('/v1/users/:id/sessions', {
    config: { access: ['admin'] },
    schema: {
      tags: ['users'],
      operationId: 'listUserSessions',
      summary: 'List the sessions of a user that have not ended, newest first',
      params: pathId(ref(UserId)),
      querystring: query(pageQuery),
      response: { 200: ref(SessionPage), 404: problem(['USER_NOT_FOUND']) },
    },
    handler: async (request) => {
      const message = { ...pageRequest(request.query), userId: request.params.id };
      const page = await auth.listUserSessions(message, asCaller(request));
      return pageJson(page.sessions.map(sessionJson), page.nextPageToken);
    },
  });

  app.post('/v1/users/:id/sessions/:session_id/revoke', {
    config: { access: ['admin'], optionalBody: true },
    schema: {
      tags: ['users'],
      operationId: 'revokeUserSession',
      summary: 'End a session of a user',
      params: Type.Object({ id: ref(UserId), session_id: ref(SessionId) }),
      body: ref(NoFields),
      response: { ...ENDED, 404: problem(['USER_NOT_FOUND', 'SESSION_NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      const { id: userId, session_id: sessionId } = request.params;
      await auth.revokeUserSession({ userId, sessionId }, asCaller(request));
      return reply.code(204).send(null);
    },
  });

  app.post('/v1/users/:id/logout-everywhere', {
    config: { access: ['admin'], optionalBody: true },
    schema: {
      tags: ['users'],
      operationId: 'logoutUserEverywhere',
      summary: 'End all sessions of a user',
      params: pathId(ref(UserId)),
      body: ref(NoFields),
      response: { ...ENDED, 404: problem(['USER_NOT_FOUND']) },
    },
    handler: async (request, reply) => {
      await auth.revokeAllUserSessions({ userId: request.params.id }, asCaller(request));
      return reply.code(204).send(null);
    },
  });
};

function sessionJson(session: SessionMessage): Static<typeof Session> {
  return {
    id: session.id,
    created_at: timeJson(session.createdAt),
    last_used_at: timeJson(session.lastUsedAt),
    expires_at: timeJson(session.expiresAt),
    current: session.current,
  };
}
