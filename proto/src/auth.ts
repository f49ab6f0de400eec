export * from '../gen/payflowx/auth/v1/auth.ts';
export * from '../gen/payflowx/auth/v1/identity_event.ts';
