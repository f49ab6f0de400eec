/** The limits of all request fields, as the contracts state them (payflowx/limits/v1/limits.proto). */
import { MESSAGES, REQUESTS } from '../gen/limits.ts';

export interface FieldLimits {
  /** The name of the field in the generated code. */
  key: string;
  /** The name of the field in the contract. */
  name: string;
  maxLength?: number;
  maxItems?: number;
  maxKeyLength?: number;
  /** The full name of the field's message. */
  message?: string;
  /** The elements are items of a batch, which the service checks one by one. */
  eachAlone?: boolean;
}

export interface MessageLimits {
  /** Only fields that their type does not bound. */
  fields: readonly FieldLimits[];
  /** The size of a message with all fields at their limits. */
  maxBytes: number;
}

/** A message of a request, by its full name. */
export type LimitedMessage = keyof typeof MESSAGES;

export const MESSAGE_LIMITS: Readonly<Record<string, MessageLimits>> = MESSAGES;

/** The request of an RPC, by its path, such as `/payflowx.payment.v1.PaymentService/GetPayment`. */
export const REQUEST_OF_RPC: Readonly<Record<string, LimitedMessage>> = REQUESTS;
