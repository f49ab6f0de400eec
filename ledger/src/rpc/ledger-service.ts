/** LedgerService: decode, act, encode. */
import { type BoundService, bindService, type Call, requireCaller } from '@payflowx/chassis';
import { LedgerServiceService } from '@payflowx/proto/ledger';
import type { AccessDeps, Viewer } from '../app/account-access.ts';
import { getAccountBalance } from '../app/get-account-balance.ts';
import { getTransaction } from '../app/get-transaction.ts';
import { listEntries } from '../app/list-entries.ts';
import { type ProofDeps, proveLedger } from '../app/prove-ledger.ts';
import { access } from './access.ts';
import { layerFrom, toEntry, toProof, toTransaction } from './convert.ts';
import { errors } from './errors.ts';

export function ledgerService(deps: AccessDeps & ProofDeps): BoundService {
  return bindService(LedgerServiceService, {
    access,
    errors,
    handlers: {
      async listEntries(request, call) {
        const { entries, nextPageToken } = await listEntries(deps, viewerOf(call), {
          pageSize: request.pageSize,
          pageToken: request.pageToken,
          accountId: request.accountId || undefined,
          paymentId: request.paymentId || undefined,
          layer: layerFrom(request.layer),
        });
        return { entries: entries.map(toEntry), nextPageToken };
      },
      async getTransaction({ transactionId }, call) {
        return { transaction: toTransaction(await getTransaction(deps, viewerOf(call), transactionId)) };
      },
      async getAccountBalance({ accountId, at }, call) {
        return getAccountBalance(deps, viewerOf(call), { accountId, at });
      },
      async getProof(_, call) {
        return toProof(await proveLedger(deps, call));
      },
    },
  });
}

function viewerOf(call: Call): Viewer {
  return { caller: requireCaller(call), accessToken: call.accessToken, deadline: call.deadline };
}
