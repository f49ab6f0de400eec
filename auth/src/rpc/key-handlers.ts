/** Handlers for signing keys. */
import { type Handlers, originOf } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { rotateSigningKey } from '../app/rotate-signing-key.ts';
import { publicJwks } from '../app/signing-keys.ts';
import type { AuthServiceDeps } from './deps.ts';

export function keyHandlers(
  deps: AuthServiceDeps,
): Pick<Handlers<AuthServiceService>, 'getJwks' | 'rotateSigningKey'> {
  return {
    async getJwks() {
      return { keys: await publicJwks(deps) };
    },
    async rotateSigningKey(_, call) {
      const { active, next } = await rotateSigningKey(deps, originOf(call));
      return { activeKid: active.kid, nextKid: next.kid, activatesAt: next.activatesAt };
    },
  };
}
