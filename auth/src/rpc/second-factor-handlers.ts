/** Handlers for second factors, and for the second step of a login. */
import {
  type Call,
  type Handlers,
  newId,
  originOf,
  requireCaller,
  SECOND_FACTOR_SETUP,
  securityEventsOf,
} from '@payflowx/chassis';
import { AuthServiceService } from '@payflowx/proto/auth';
import { completeLogin } from '../app/login.ts';
import {
  confirmSecondFactor,
  createSecondFactor,
  deleteSecondFactor,
  deleteSecondFactorsOf,
  type FactorCaller,
  listSecondFactors,
} from '../app/second-factors.ts';
import { addressOfPeer } from '../domain/client-address.ts';
import type { PasskeyFault } from '../domain/passkey.ts';
import { toFactorMessage, toTokenPairMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

type SecondFactorHandlers = Pick<
  Handlers<AuthServiceService>,
  | 'completeLogin'
  | 'createSecondFactor'
  | 'confirmSecondFactor'
  | 'listSecondFactors'
  | 'deleteSecondFactor'
  | 'deleteUserSecondFactors'
>;

export function secondFactorHandlers(service: AuthServiceDeps): SecondFactorHandlers {
  const deps = { ...service, newFamilyId: () => newId('fam') };
  const events = securityEventsOf(service.log);
  return {
    async completeLogin(request, { peer }) {
      const refused = { route: AuthServiceService.completeLogin.path, address: addressOfPeer(peer) };
      const onFailure = (subject: string | undefined, detail?: PasskeyFault) => {
        const isCopied = detail === 'COUNTER_WENT_BACK';
        const event = isCopied ? 'passkey_counter_went_back' : 'second_factor_failed';
        events.record(event, { subject, ...refused, detail });
      };
      return { tokens: toTokenPairMessage(await completeLogin({ ...deps, onFailure }, request)) };
    },
    async createSecondFactor({ kind, name }, call) {
      const wanted = { id: newId('sf'), kind, name };
      const { factor, ...made } = await createSecondFactor(deps, factorCallerOf(call), wanted);
      return { secret: '', uri: '', passkeyOptions: '', ...made, factor: toFactorMessage(factor) };
    },
    async confirmSecondFactor({ factorId, code, passkeyJson }, call) {
      const confirmation = { factorId, code, passkeyJson };
      const { factor, recoveryCodes } = await confirmSecondFactor(deps, factorCallerOf(call), confirmation);
      return { factor: toFactorMessage(factor), recoveryCodes };
    },
    async listSecondFactors(_, call) {
      const { factors, recoveryCodesLeft } = await listSecondFactors(deps, originOf(call).callerId);
      const passkeyOrigins = [...(deps.passkeys?.origins ?? [])];
      return { factors: factors.map(toFactorMessage), recoveryCodesLeft, passkeyOrigins };
    },
    async deleteSecondFactor({ factorId }, call) {
      await deleteSecondFactor(deps, factorCallerOf(call), factorId);
      return {};
    },
    async deleteUserSecondFactors({ userId }, call) {
      await deleteSecondFactorsOf(deps, { origin: originOf(call), userId });
      return {};
    },
  };
}

function factorCallerOf(call: Call): FactorCaller {
  const { sessionId, restrictedTo } = requireCaller(call);
  return { origin: originOf(call), sessionId, isSetup: restrictedTo === SECOND_FACTOR_SETUP };
}
