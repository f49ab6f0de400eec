/** OpenAPI links from responses to the operations that can follow. Readers use them, and tests that follow them. */
import type { Document, Link } from './document.ts';
import { operationsOf } from './document.ts';

type Target = Omit<Link, 'operationId'>;

const byId = (id: string): Target => ({ parameters: { id } });
const filtered = (name: string, id: string): Target => ({ parameters: { [name]: id } });

const ID = '$response.body#/id';

const OF_PAYMENT: Record<string, Target> = {
  getPayment: byId(ID),
  capturePayment: byId(ID),
  cancelPayment: byId(ID),
  createRefund: byId(ID),
  listRefunds: byId(ID),
  listCaptures: filtered('payment_id', ID),
  getTimeline: byId(ID),
  getReceipt: byId(ID),
  listEntries: filtered('payment_id', ID),
  listNotifications: filtered('payment_id', ID),
};

const VERSIONED: Target = { parameters: { id: ID, 'if-match': '$response.header.etag' } };

const OF_ACCOUNT: Record<string, Target> = {
  getAccount: byId(ID),
  updateAccount: VERSIONED,
  freezeAccount: byId(ID),
  unfreezeAccount: byId(ID),
  closeAccount: byId(ID),
  getLedgerBalance: byId(ID),
  getStatement: byId(ID),
  getAccountTotals: byId(ID),
  listEntries: filtered('account_id', ID),
  listPayments: filtered('account_id', ID),
  listAccountAudit: filtered('account_id', ID),
};

const OF_RULE: Record<string, Target> = {
  getRule: byId(ID),
  updateRule: VERSIONED,
  listRuleVersions: byId(ID),
};

const OF_CLIENT: Record<string, Target> = {
  revokeApiClient: byId('$response.body#/client/id'),
  rotateApiClientSecret: byId('$response.body#/client/id'),
};

/** Links by operation and status. */
const LINKS: Record<string, Record<string, Record<string, Target>>> = {
  createPayment: { 201: OF_PAYMENT, 202: OF_PAYMENT },
  createDeposit: { 201: OF_PAYMENT },
  createWithdrawal: { 201: OF_PAYMENT },
  capturePayment: { 200: OF_PAYMENT },
  createRefund: { 201: { getRefund: byId(ID), listRefunds: byId('$response.body#/payment_id') } },
  createAccount: { 201: OF_ACCOUNT },
  getAccount: { 200: OF_ACCOUNT },
  updateAccount: { 200: OF_ACCOUNT },
  freezeAccount: { 200: { unfreezeAccount: byId(ID), updateAccount: VERSIONED } },
  createRule: { 201: OF_RULE },
  getRule: { 200: OF_RULE },
  updateRule: { 200: OF_RULE },
  createApiClient: { 201: OF_CLIENT },
  createUser: { 201: { listApiClients: filtered('user_id', ID) } },
  runReconciliation: { 201: { getReconciliation: byId(ID) } },
  getReceipt: { 200: { getTransaction: byId('$response.body#/transactions/0/transaction/id') } },
};

export function addLinks(document: Document): void {
  for (const { operation } of operationsOf(document)) {
    for (const [status, targets] of Object.entries(LINKS[operation.operationId] ?? {})) {
      const response = operation.responses[status];
      if (!response)
        throw new Error(`${operation.operationId} has links for ${status}, but no such response.`);
      response.links = Object.fromEntries(
        Object.entries(targets).map(([operationId, target]) => [operationId, { operationId, ...target }]),
      );
    }
  }
}
