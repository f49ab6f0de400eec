/** Handlers for the confirmation of addresses. */
import { type Handlers, requireCaller } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { confirmEmail, getConfirmation, resendConfirmation } from '../app/confirm-email.ts';
import type { AuthServiceDeps } from './deps.ts';

type EmailHandlers = Pick<
  Handlers<AuthServiceService>,
  'confirmEmail' | 'resendEmailConfirmation' | 'getEmailConfirmation'
>;

export function emailHandlers(deps: AuthServiceDeps): EmailHandlers {
  return {
    async confirmEmail({ token }, call) {
      await confirmEmail(deps, { token, call: { traceId: call.trace.traceId, callId: call.id } });
      return {};
    },
    async resendEmailConfirmation(_, call) {
      await resendConfirmation(deps, requireCaller(call).id);
      return {};
    },
    getEmailConfirmation: ({ confirmationId }) => getConfirmation(deps, confirmationId),
  };
}
