/** Verifies receipts of payments. See README.md for what a verified receipt proves. */
export {
  NotCanonical,
  type PostingKind,
  readCanonicalBytes,
  type SealedPosting,
  type SealedTransaction,
} from './canonical-bytes.ts';
export { ReceiptRefused } from './refusal.ts';
export {
  type TrustedHead,
  type VerifiedReceipt,
  type VerifiedTransaction,
  verifyReceipt,
} from './verify-receipt.ts';
