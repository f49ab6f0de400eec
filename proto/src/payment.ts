export * from '../gen/payflowx/payment/v1/payment.ts';
export * from '../gen/payflowx/payment/v1/payment_event.ts';
export * from '../gen/payflowx/payment/v1/sandbox.ts';
