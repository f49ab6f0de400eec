/** Handlers for users. */
import { type Handlers, newId, requireCaller } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { createUser } from '../app/create-user.ts';
import { getMe } from '../app/get-me.ts';
import { listUsers } from '../app/list-users.ts';
import { newUser } from '../domain/user.ts';
import { actorOf, fromRoleMessages, pageRequest, toUserMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type UserHandlers = Pick<Handlers<AuthServiceService>, 'getMe' | 'createUser' | 'listUsers'>;

export function userHandlers(service: AuthServiceDeps): UserHandlers {
  const deps = { ...service, newUserId: () => newId('usr') };
  return {
    async getMe(_, call) {
      return { user: toUserMessage(await getMe(deps, requireCaller(call).id)) };
    },
    async createUser({ requestId, username, password, roles }, call) {
      const wanted = newUser({ username, password, roles: fromRoleMessages(roles) });
      return { user: toUserMessage(await createUser(deps, { actor: actorOf(call), requestId, wanted })) };
    },
    async listUsers(request) {
      const page = await listUsers(deps, pageRequest(request));
      return { users: page.rows.map(toUserMessage), nextPageToken: page.nextPageToken };
    },
  };
}
