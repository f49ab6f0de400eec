export * from '../gen/payflowx/authorization/v1/account.ts';
export * from '../gen/payflowx/authorization/v1/authorization.ts';
