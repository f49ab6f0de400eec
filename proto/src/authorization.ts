export * from '../gen/payflowx/authorization/v1/account.ts';
export * from '../gen/payflowx/authorization/v1/authorization.ts';
export * from '../gen/payflowx/authorization/v1/mandate.ts';
export * from '../gen/payflowx/authorization/v1/rule.ts';
export * from '../gen/payflowx/authorization/v1/test_clock.ts';
