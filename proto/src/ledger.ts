export * from '../gen/payflowx/ledger/v1/ledger.ts';
export * from '../gen/payflowx/ledger/v1/reconciliation.ts';
