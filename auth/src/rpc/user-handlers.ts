/** Handlers for users. */
import { type Handlers, newId, originOf, requireCaller } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { changeUserStateFor, updateUserFor } from '../app/change-user.ts';
import { createUser } from '../app/create-user.ts';
import { getMe } from '../app/get-me.ts';
import { getUser } from '../app/get-user.ts';
import { listUsers } from '../app/list-users.ts';
import { newUser } from '../domain/user.ts';
import { fromRoleMessages, fromStateMessage, given, pageRequest, toUserMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type UserHandlers = Pick<
  Handlers<AuthServiceService>,
  'getMe' | 'createUser' | 'listUsers' | 'getUser' | 'updateUser' | 'changeUserState'
>;

export function userHandlers(service: AuthServiceDeps): UserHandlers {
  const deps = { ...service, newUserId: () => newId('usr') };
  return {
    async getMe(_, call) {
      return { user: toUserMessage(await getMe(deps, requireCaller(call).id)) };
    },
    async createUser({ requestId, password, roles, ...chosen }, call) {
      const wanted = newUser({ ...chosen, password: given(password), roles: fromRoleMessages(roles) });
      return { user: toUserMessage(await createUser(deps, { origin: originOf(call), requestId, wanted })) };
    },
    async listUsers(request) {
      const page = await listUsers(deps, {
        ...pageRequest(request),
        username: request.username,
        externalId: request.externalId,
      });
      return { users: page.rows.map(toUserMessage), nextPageToken: page.nextPageToken };
    },
    async getUser({ userId }) {
      return { user: toUserMessage(await getUser(deps, userId)) };
    },
    async updateUser({ userId, expectedVersion, roles, ...changes }, call) {
      const update = { ...changes, roles: roles && fromRoleMessages(roles.roles) };
      const user = await updateUserFor(deps, { origin: originOf(call), userId, expectedVersion, update });
      return { user: toUserMessage(user) };
    },
    async changeUserState({ userId, state }, call) {
      const request = { origin: originOf(call), userId, state: fromStateMessage(state) };
      return { user: toUserMessage(await changeUserStateFor(deps, request)) };
    },
  };
}
