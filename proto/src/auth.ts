export * from '../gen/payflowx/auth/v1/auth.ts';
