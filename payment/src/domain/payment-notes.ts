/** Each side's own notes of a payment: a reference and metadata for its systems. Neither side sees those of the other. Pure. */
import { collectViolations } from '@payflowx/chassis/errors';
import { changedMetadata, type MetadataChange } from '@payflowx/chassis/metadata';
import { invalid } from './errors.ts';
import { NO_NOTES, type Notes } from './operation.ts';
import { checkNotes } from './order.ts';
import type { Payment } from './payment.ts';

export type Side = 'PAYER' | 'PAYEE';

/** The notes that the sides have changed. Undefined: not changed, so the side that made the request has those, and the other has none. */
export type ChangedNotes = Partial<Record<Side, Notes>>;

export interface NotesChange extends MetadataChange {
  /** Undefined: unchanged. Empty: removed. */
  readonly reference: string | undefined;
}

/** Returns the current notes of a side. */
export function notesOf(payment: Payment, changed: ChangedNotes, side: Side): Notes {
  const { reference, metadata } = payment;
  return changed[side] ?? (side === requestingSide(payment) ? { reference, metadata } : NO_NOTES);
}

/** Returns the side whose notes the request has. */
export function requestingSide({ mandateId }: Pick<Payment, 'mandateId'>): Side {
  return mandateId === undefined ? 'PAYER' : 'PAYEE';
}

/** Returns the notes after the change. Throws INVALID_ARGUMENT, also if they have too many pairs only together. */
export function changeNotes(notes: Notes, change: NotesChange): Notes {
  const { reference, metadata, removedMetadata } = change;
  const changed = {
    reference: reference ?? notes.reference,
    metadata: changedMetadata(notes.metadata, change),
  };
  const violations = collectViolations(invalid);
  checkNotes(violations, changed);
  const both = removedMetadata.filter((name) => Object.hasOwn(metadata, name));
  violations.require(both.length === 0, 'removed_metadata', 'must not name a key with a new value');
  violations.throwIfAny();
  return changed;
}
