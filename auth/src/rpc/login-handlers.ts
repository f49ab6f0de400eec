/** Handlers for logins of people and machines, refresh and logout. */
import { type Handlers, newId, securityEventsOf } from '@payflowx/chassis';
import { AuthServiceService } from '@payflowx/proto/auth';
import { login } from '../app/login.ts';
import { type FailedClient, loginClient } from '../app/login-client.ts';
import { logout } from '../app/logout.ts';
import { refreshTokens } from '../app/refresh-tokens.ts';
import { addressOfPeer } from '../domain/client-address.ts';
import { AuthError, type AuthReason } from '../domain/errors.ts';
import { addressOfLogin } from './client-address.ts';
import { TOKEN_TYPE_BEARER, toTokenPairMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type LoginHandlers = Pick<Handlers<AuthServiceService>, 'login' | 'loginClient' | 'refreshTokens' | 'logout'>;

export function loginHandlers(service: AuthServiceDeps): LoginHandlers {
  const deps = { ...service, newFamilyId: () => newId('fam') };
  const events = securityEventsOf(service.log);
  return {
    async login({ username, password, clientAddress }, call) {
      const address = addressOfLogin(clientAddress, call);
      const refused = { route: AuthServiceService.login.path, address };
      const onFailure = (subject: string | undefined) =>
        events.record('login_failed', { subject, ...refused });
      try {
        return {
          tokens: toTokenPairMessage(await login({ ...deps, onFailure }, { username, password, address })),
        };
      } catch (error) {
        if (isRefusal(error, 'TOO_MANY_LOGINS')) events.record('login_throttled', refused);
        throw error;
      }
    },
    async loginClient(credentials, { peer }) {
      const onFailure = (client: FailedClient) =>
        events.record('client_login_failed', {
          ...client,
          route: AuthServiceService.loginClient.path,
          address: addressOfPeer(peer),
        });
      return { ...(await loginClient({ ...deps, onFailure }, credentials)), tokenType: TOKEN_TYPE_BEARER };
    },
    async refreshTokens({ refreshToken, requestId }, { peer }) {
      const refused = { route: AuthServiceService.refreshTokens.path, address: addressOfPeer(peer) };
      let isReuse = false;
      const onReuse = (family_id: string, subject: string) => {
        isReuse = true;
        events.record('refresh_token_reused', { subject, family_id, ...refused });
      };
      try {
        return {
          tokens: toTokenPairMessage(await refreshTokens({ ...deps, onReuse }, { refreshToken, requestId })),
        };
      } catch (error) {
        if (!isReuse && isRefusal(error, 'INVALID_REFRESH_TOKEN')) events.record('refresh_refused', refused);
        throw error;
      }
    },
    async logout({ refreshToken }) {
      await logout(deps, refreshToken);
      return {};
    },
  };
}

function isRefusal(error: unknown, reason: AuthReason): boolean {
  return error instanceof AuthError && error.reason === reason;
}
