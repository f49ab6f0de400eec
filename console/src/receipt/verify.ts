/** The verifier of the command line, loaded only by the pages that need it. */
export { ReceiptRefused, type VerifiedReceipt, verifyReceipt } from '@payflowx/client';
