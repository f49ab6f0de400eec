/** Thrown for a receipt that proves nothing, with the reason. */
export class ReceiptRefused extends Error {
  override readonly name = 'ReceiptRefused';
}
