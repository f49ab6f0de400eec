/** Returns one payment to callers that may see it. */
import type { Caller } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { maySee, notFound, viewFor } from '../domain/access.ts';
import { isPaymentId } from '../domain/ids.ts';
import type { Payment } from '../domain/payment.ts';
import type { Database } from '../store/database.ts';
import { readNotes } from '../store/payment-notes.ts';
import { findPayment } from '../store/payments.ts';

/** Throws PAYMENT_NOT_FOUND. */
export async function getPayment(
  { db }: { db: Kysely<Database> },
  caller: Caller,
  id: string,
): Promise<Payment> {
  const payment = isPaymentId(id) ? await findPayment(db, id) : undefined;
  if (!payment || !maySee(caller, payment)) throw notFound();
  const changed = await readNotes(db, [id]);
  return viewFor(caller, payment, changed.get(id));
}
