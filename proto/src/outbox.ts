export * from '../gen/payflowx/outbox/v1/outbox.ts';
