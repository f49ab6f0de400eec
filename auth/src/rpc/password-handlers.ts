/** Handlers for passwords. */
import { type Call, type Handlers, originOf, requireCaller, securityEventsOf } from '@payflowx/chassis';
import { AuthServiceService } from '@payflowx/proto/auth';
import { changePassword, replaceOneTimePassword, resetPassword } from '../app/passwords.ts';
import { addressOfPeer } from '../domain/client-address.ts';
import { addressOfLogin } from './client-address.ts';
import type { AuthServiceDeps } from './deps.ts';

type PasswordHandlers = Pick<
  Handlers<AuthServiceService>,
  'changePassword' | 'resetPassword' | 'replaceOneTimePassword'
>;

export function passwordHandlers(deps: AuthServiceDeps): PasswordHandlers {
  const events = securityEventsOf(deps.log);
  return {
    async changePassword({ currentPassword, newPassword }, call) {
      const { sessionId } = requireCaller(call);
      const origin = originOf(call);
      const onFailure = () =>
        events.record('login_failed', {
          subject: origin.callerId,
          route: AuthServiceService.changePassword.path,
          address: addressOfPeer(call.peer),
        });
      await changePassword({ ...deps, onFailure }, { origin, sessionId, currentPassword, newPassword });
      return {};
    },
    resetPassword: ({ userId }, call) => resetPassword(deps, { origin: originOf(call), userId }),
    async replaceOneTimePassword({ username, oneTimePassword, newPassword, clientAddress }, call) {
      const address = addressOfLogin(clientAddress, call);
      const route = AuthServiceService.replaceOneTimePassword.path;
      const onFailure = (subject: string | undefined) =>
        events.record('login_failed', { subject, route, address });
      await replaceOneTimePassword(
        { ...deps, onFailure },
        { username, password: oneTimePassword, newPassword, address, originOf: selfOf(call) },
      );
      return {};
    },
  };
}

/** A user without a token, who has proved a password, acts for itself. */
function selfOf({ id: callId, trace }: Call) {
  return (callerId: string) => ({ callerId, callId, traceId: trace.traceId });
}
