/** Handlers that read the audit log. */
import type { Handlers } from '@payflowx/chassis';
import type { AuthServiceService } from '@payflowx/proto/auth';
import { listAuditRecords } from '../app/list-audit-records.ts';
import { fromAuditFilter, pageRequest, toAuditRecordMessage } from './convert.ts';
import type { AuthServiceDeps } from './deps.ts';

export function auditHandlers(
  deps: AuthServiceDeps,
): Pick<Handlers<AuthServiceService>, 'listIdentityAuditRecords'> {
  return {
    async listIdentityAuditRecords(request) {
      const filter = fromAuditFilter(request);
      const page = await listAuditRecords(deps, { ...pageRequest(request), filter });
      return { records: page.rows.map(toAuditRecordMessage), nextPageToken: page.nextPageToken };
    },
  };
}
