/** The Kysely types of this service's tables. Amounts are minor units. */
import type { RoleName } from '@payflowx/chassis';
import type { ColumnType } from 'kysely';
import type { Operation, OperationKind } from '../domain/operation.ts';
import type { CaptureMode, PaymentKind } from '../domain/order.ts';
import type { PaymentState } from '../domain/payment.ts';

export interface Database {
  payments: PaymentsTable;
  idempotency_keys: IdempotencyKeysTable;
  operations: OperationsTable;
  payment_notes: PaymentNotesTable;
}

export interface PaymentNotesTable {
  /** The id of the payment. */
  id: string;
  created_at: Date;
  side: 'PAYER' | 'PAYEE';
  owner_id: string;
  reference: string;
  metadata: ColumnType<Record<string, string>, string, string>;
  updated_at: Date;
}

export interface PaymentsTable {
  id: string;
  kind: PaymentKind;
  state: PaymentState;
  from_account: string;
  to_account: string;
  from_owner_id: string | null;
  to_owner_id: string | null;
  amount_minor: bigint;
  currency: string;
  captured_minor: bigint;
  released_minor: bigint;
  refunded_minor: bigint;
  capture_mode: CaptureMode;
  captured_by_payee: boolean;
  description: string;
  reference: string;
  metadata: Record<string, string>;
  failure_code: string | null;
  failure_message: string | null;
  decision: Buffer | null;
  hold_expires_at: Date | null;
  next_expiry_at: Date | null;
  version: bigint;
  created_at: Date;
  updated_at: Date;
  caller_id: string;
  caller_roles: RoleName[];
  client_id: string | null;
  request_id: string;
  traceparent: string;
  attempts: number;
  next_attempt_at: Date;
  initiated_event_id: string | null;
  decided_event_id: string | null;
  decided_at: Date | null;
  /** When the hold ended. Null while money is held, and for payments that never held any. */
  hold_ended_at: Date | null;
  /** Null for a payment by the payer. */
  mandate_id: string | null;
}

export interface OperationsTable {
  id: string;
  payment_id: string;
  kind: OperationKind;
  state: Operation['state'];
  amount_minor: bigint;
  takes_rest: boolean;
  final: boolean;
  reason: string;
  failure_code: string | null;
  failure_message: string | null;
  decision: Buffer | null;
  event_id: string | null;
  payment_state: PaymentState | null;
  payment_version: bigint | null;
  caller_id: string | null;
  client_id: string | null;
  by_operator: boolean;
  request_id: string | null;
  traceparent: string;
  created_at: Date;
  updated_at: Date;
  attempts: number;
  next_attempt_at: Date;
  reference: string;
  metadata: Record<string, string>;
  /** Null until they are filled in, for operations from an earlier version. The owners also if an account is external. */
  from_account: string | null;
  to_account: string | null;
  from_owner_id: string | null;
  to_owner_id: string | null;
}

export interface IdempotencyKeysTable {
  caller_id: string;
  key: string;
  operation: string;
  fingerprint: Buffer;
  payment_id: string;
  operation_id: string | null;
  answer: Buffer | null;
  refusal: { reason: string; message: string; metadata: Record<string, string> } | null;
  created_at: Date;
}
