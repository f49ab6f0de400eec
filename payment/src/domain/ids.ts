/** The forms of ids. */

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const ACCOUNT_ID = new RegExp(`^acct_${UUID}$`);
const MANDATE_ID = new RegExp(`^man_${UUID}$`);
const PAYMENT_ID = new RegExp(`^pay_${UUID}$`);

const OPERATION_IDS = {
  CAPTURE: new RegExp(`^cap_${UUID}$`),
  REFUND: new RegExp(`^ref_${UUID}$`),
} as const;

export function isAccountId(text: string): boolean {
  return ACCOUNT_ID.test(text);
}

export function isMandateId(text: string): boolean {
  return MANDATE_ID.test(text);
}

export function isPaymentId(text: string): boolean {
  return PAYMENT_ID.test(text);
}

export function isOperationId(kind: keyof typeof OPERATION_IDS, text: string): boolean {
  return OPERATION_IDS[kind].test(text);
}
