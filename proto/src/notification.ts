export * from '../gen/payflowx/notification/v1/notification.ts';
