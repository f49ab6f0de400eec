/** Changes the caller's own notes of a payment, and nothing else of it. */
import type { Caller } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { notFound, sideOfNotes, viewFor } from '../domain/access.ts';
import { isPaymentId } from '../domain/ids.ts';
import type { Payment } from '../domain/payment.ts';
import { changeNotes, type NotesChange, notesOf } from '../domain/payment-notes.ts';
import type { Database } from '../store/database.ts';
import { lockNotes, readNotes, storeNotes } from '../store/payment-notes.ts';
import { findPayment } from '../store/payments.ts';

export interface ChangeNotesDeps {
  db: Kysely<Database>;
  now(): Date;
}

/**
 * Returns the payment with the new notes. The same change again has the same result, so a retry needs no key. Two changes at once are made
 * one after the other: those of different names are both kept.
 *
 * Throws PAYMENT_NOT_FOUND, ACTION_NOT_ALLOWED, INVALID_ARGUMENT.
 */
export async function changePaymentNotes(
  { db, now }: ChangeNotesDeps,
  caller: Caller,
  paymentId: string,
  change: NotesChange,
): Promise<Payment> {
  if (!isPaymentId(paymentId)) throw notFound();
  return db.transaction().execute(async (transaction) => {
    // A side never changes once the payment is decided, so the payment need not be locked.
    const payment = await findPayment(transaction, paymentId);
    if (!payment) throw notFound();
    const side = sideOfNotes(caller, payment);
    const row = { id: payment.id, createdAt: payment.createdAt, side, ownerId: caller.id };
    const at = now();
    const current = await lockNotes(transaction, row, notesOf(payment, {}, side), at);
    await storeNotes(transaction, row, changeNotes(current, change), at);
    const changed = await readNotes(transaction, [payment.id]);
    return viewFor(caller, payment, changed.get(payment.id));
  });
}
