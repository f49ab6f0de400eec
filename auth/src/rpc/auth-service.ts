/** AuthService: decodes, calls the use case, encodes. */
import {
  type BoundService,
  bindService,
  decodePageToken,
  encodePageToken,
  type Handlers,
  type Logger,
  newId,
  pageSizeOf,
  requireCaller,
} from '@payflowx/chassis';
import { AuthServiceService } from '@payflowx/proto/auth';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { IssueAccessToken } from '../app/access-tokens.ts';
import { createUser } from '../app/create-user.ts';
import { getMe } from '../app/get-me.ts';
import { listUsers } from '../app/list-users.ts';
import { login } from '../app/login.ts';
import { loginClient } from '../app/login-client.ts';
import { logout } from '../app/logout.ts';
import type { PasswordHasher } from '../app/password-hasher.ts';
import { refreshTokens } from '../app/refresh-tokens.ts';
import { publicJwks } from '../app/signing-keys.ts';
import { newUser } from '../domain/user.ts';
import type { Database } from '../store/database.ts';
import { access } from './access.ts';
import { fromRoleMessages, TOKEN_TYPE_BEARER, toTokenPairMessage, toUserMessage } from './convert.ts';
import { errors } from './errors.ts';

export interface AuthServiceDeps {
  db: Kysely<Database>;
  passwords: PasswordHasher;
  issueAccessToken: IssueAccessToken;
  refreshLifetimeMs: number;
  now(): Date;
  log: Logger;
}

const PagePosition = Type.Object(
  { before: Type.String({ pattern: '^usr_[0-9a-f-]{36}$' }) },
  { additionalProperties: false },
);

export function authService(service: AuthServiceDeps): BoundService {
  const { log } = service;
  const deps = {
    ...service,
    newUserId: () => newId('usr'),
    newFamilyId: () => newId('fam'),
    onReuse: (familyId: string, userId: string) =>
      log.warn(
        { family_id: familyId, user_id: userId },
        'a spent refresh token was used again: its family is revoked',
      ),
  };
  const handlers: Handlers<AuthServiceService> = {
    async login({ username, password }) {
      return { tokens: toTokenPairMessage(await login(deps, { username, password })) };
    },
    async loginClient({ clientId, clientSecret }) {
      return { ...(await loginClient(deps, { clientId, clientSecret })), tokenType: TOKEN_TYPE_BEARER };
    },
    async refreshTokens({ refreshToken }) {
      return { tokens: toTokenPairMessage(await refreshTokens(deps, refreshToken)) };
    },
    async logout({ refreshToken }) {
      await logout(deps, refreshToken);
      return {};
    },
    async getMe(_, call) {
      return { user: toUserMessage(await getMe(deps, requireCaller(call).id)) };
    },
    async createUser({ requestId, username, password, roles }, call) {
      const wanted = newUser({ username, password, roles: fromRoleMessages(roles) });
      const user = await createUser(deps, { callerId: requireCaller(call).id, requestId, wanted });
      return { user: toUserMessage(user) };
    },
    async listUsers({ pageSize, pageToken }) {
      const position = decodePageToken(pageToken, PagePosition);
      const page = await listUsers(deps, { pageSize: pageSizeOf(pageSize), beforeId: position?.before });
      return {
        users: page.users.map(toUserMessage),
        nextPageToken: page.nextBeforeId === undefined ? '' : encodePageToken({ before: page.nextBeforeId }),
      };
    },
    async getJwks() {
      return { keys: await publicJwks(deps) };
    },
  };
  return bindService(AuthServiceService, { access, errors, handlers });
}
