/** Handlers for logins of people and machines, refresh and logout. */
import { type Call, type Handlers, newId } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { login } from '../app/login.ts';
import { loginClient } from '../app/login-client.ts';
import { logout } from '../app/logout.ts';
import { refreshTokens } from '../app/refresh-tokens.ts';
import { addressOfPeer, requireAddress } from '../domain/client-address.ts';
import { TOKEN_TYPE_BEARER, toTokenPairMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type LoginHandlers = Pick<Handlers<AuthServiceService>, 'login' | 'loginClient' | 'refreshTokens' | 'logout'>;

export function loginHandlers(service: AuthServiceDeps): LoginHandlers {
  const deps = {
    ...service,
    newFamilyId: () => newId('fam'),
    onReuse: (familyId: string, userId: string) =>
      service.log.warn(
        { family_id: familyId, user_id: userId },
        'a used refresh token was used again: its family is revoked',
      ),
  };
  return {
    async login({ username, password, clientAddress }, call) {
      const address = addressOfLogin(clientAddress, call);
      return { tokens: toTokenPairMessage(await login(deps, { username, password, address })) };
    },
    async loginClient({ clientId, clientSecret }) {
      return { ...(await loginClient(deps, { clientId, clientSecret })), tokenType: TOKEN_TYPE_BEARER };
    },
    async refreshTokens({ refreshToken, requestId }) {
      return { tokens: toTokenPairMessage(await refreshTokens(deps, { refreshToken, requestId })) };
    },
    async logout({ refreshToken }) {
      await logout(deps, refreshToken);
      return {};
    },
  };
}

/** Only a service may send a client address. Otherwise a client could claim any address, or block the addresses of others. */
function addressOfLogin(claimed: string | undefined, { caller, peer }: Call): string {
  if (claimed !== undefined && caller?.roles.includes('service')) return requireAddress(claimed);
  return addressOfPeer(peer);
}
