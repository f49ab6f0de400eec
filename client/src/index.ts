/** A client of PayFlowX's REST API. See README.md for examples. */
export {
  ReceiptRefused,
  type TrustedHead,
  type VerifiedReceipt,
  type VerifiedTransaction,
  verifyReceipt,
} from '@payflowx/receipt';
export { createPayFlowX, type PayFlowX } from './client.ts';
export { toDecimal } from './decimal.ts';
export type { Answer, Schema } from './document-types.ts';
export { type ErrorCode, NO_ANSWER, PayFlowXError, type Problem } from './errors.ts';
export type {
  AccessToken,
  ClientCredentials,
  Connection,
  Credentials,
  Identity,
  KeyCredentials,
} from './options.ts';
export type { Listing } from './resources.ts';
export {
  type EndpointEvent,
  type PaymentRefundedEvent,
  type PaymentStepEvent,
  verifyWebhook,
  type WebhookEvent,
  type WebhookHeaders,
  WebhookRefused,
} from './webhooks.ts';
