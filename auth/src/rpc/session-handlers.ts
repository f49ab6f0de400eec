/** Handlers for sessions, and for the list of revoked tokens. */
import { type Handlers, originOf, requireCaller } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { getUser } from '../app/get-user.ts';
import { readRevocations } from '../app/revocation-list.ts';
import { listSessions, revokeAllSessions, revokeSession } from '../app/sessions.ts';
import { pageRequest, toSessionMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type SessionHandlers = Pick<
  Handlers<AuthServiceService>,
  | 'listSessions'
  | 'revokeSession'
  | 'revokeAllSessions'
  | 'listUserSessions'
  | 'revokeUserSession'
  | 'revokeAllUserSessions'
  | 'listRevocations'
>;

export function sessionHandlers(deps: AuthServiceDeps): SessionHandlers {
  const sessionsOf = async (
    userId: string,
    request: { pageSize: number; pageToken: string },
    currentId: string | undefined,
  ) => {
    const page = await listSessions(deps, { ...pageRequest(request), userId });
    const sessions = page.rows.map((session) => toSessionMessage(session, currentId));
    return { sessions, nextPageToken: page.nextPageToken };
  };
  return {
    listSessions(request, call) {
      const { id, sessionId } = requireCaller(call);
      return sessionsOf(id, request, sessionId);
    },
    async revokeSession({ sessionId }, call) {
      const origin = originOf(call);
      await revokeSession(deps, { origin, userId: origin.callerId, sessionId });
      return {};
    },
    async revokeAllSessions(_, call) {
      const origin = originOf(call);
      await revokeAllSessions(deps, { origin, userId: origin.callerId });
      return {};
    },
    async listUserSessions(request, call) {
      const { id } = await getUser(deps, request.userId);
      return sessionsOf(id, request, requireCaller(call).sessionId);
    },
    async revokeUserSession({ userId, sessionId }, call) {
      const { id } = await getUser(deps, userId);
      await revokeSession(deps, { origin: originOf(call), userId: id, sessionId });
      return {};
    },
    async revokeAllUserSessions({ userId }, call) {
      const { id } = await getUser(deps, userId);
      await revokeAllSessions(deps, { origin: originOf(call), userId: id });
      return {};
    },
    async listRevocations({ afterPosition: position, wait }) {
      const page = await readRevocations(deps, { position, wait });
      const revocations = page.revocations.map(({ id, notBeforeS = 0, expiresAt }) => ({
        id,
        notBeforeS: BigInt(notBeforeS),
        expiresAt,
      }));
      return { ...page, revocations };
    },
  };
}
