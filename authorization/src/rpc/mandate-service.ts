/** MandateService: makes, reads and revokes mandates. Decisions use them: see authorization-service.ts. */
import { type BoundService, bindService, newId, originOf, requireCaller } from '@payflowx/chassis';
import { MandateServiceService } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import { createMandate } from '../app/create-mandate.ts';
import { readMandate, readMandates } from '../app/read-mandates.ts';
import { revokeMandate } from '../app/revoke-mandate.ts';
import type { Database } from '../store/database.ts';
import { MANDATE_ACCESS } from './access.ts';
import { ERRORS } from './errors.ts';
import { toCreateMandateCommand, toListRequest, toMandateMessage } from './mandate-messages.ts';

interface MandateServiceDeps {
  db: Kysely<Database>;
  now: () => Date;
}

export function mandateService({ db, now }: MandateServiceDeps): BoundService {
  const deps = { db, now, newMandateId: () => newId('man') };
  return bindService(MandateServiceService, {
    access: MANDATE_ACCESS,
    errors: ERRORS,
    handlers: {
      async createMandate(request, call) {
        const created = await createMandate(deps, toCreateMandateCommand(request, originOf(call)));
        // As of its creation: a retry may come after its end.
        return { mandate: toMandateMessage(requireCaller(call), created, created.mandate.createdAt) };
      },

      async getMandate({ mandateId }, call) {
        const caller = requireCaller(call);
        return { mandate: toMandateMessage(caller, await readMandate(deps, caller, mandateId), now()) };
      },

      async listMandates(request, call) {
        const caller = requireCaller(call);
        const { rows, nextPageToken } = await readMandates(deps, caller, toListRequest(request));
        return { mandates: rows.map((found) => toMandateMessage(caller, found, now())), nextPageToken };
      },

      async revokeMandate({ mandateId }, call) {
        const caller = requireCaller(call);
        const revoked = await revokeMandate(deps, caller, { mandateId, origin: originOf(call) });
        return { mandate: toMandateMessage(caller, revoked, now()) };
      },
    },
  });
}
