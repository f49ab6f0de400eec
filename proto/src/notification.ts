export * from '../gen/payflowx/notification/v1/mail.ts';
export * from '../gen/payflowx/notification/v1/notification.ts';
export * from '../gen/payflowx/notification/v1/preference.ts';
