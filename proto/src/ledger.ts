export * from '../gen/payflowx/ledger/v1/ledger.ts';
