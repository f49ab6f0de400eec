/** A client of PayFlowX's REST API. See README.md for examples. */
export {
  ReceiptRefused,
  type TrustedHead,
  type VerifiedReceipt,
  type VerifiedTransaction,
  verifyReceipt,
} from '@payflowx/receipt';
export { type Answer, createPayFlowX, type PayFlowX, type Schema } from './client.ts';
export { NO_ANSWER, PayFlowXError, type Problem } from './errors.ts';
export type { AccessToken, ClientCredentials, Connection, Credentials, Identity } from './options.ts';
