export * from '../gen/payflowx/analytics/v1/analytics.ts';
