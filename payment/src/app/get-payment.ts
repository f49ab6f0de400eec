/** One payment, for those who may see it. */
import type { Kysely } from 'kysely';
import { maySee, viewFor } from '../domain/access.ts';
import { isPaymentId } from '../domain/checks.ts';
import { PaymentError } from '../domain/errors.ts';
import type { Caller, Payment } from '../domain/payment.ts';
import type { Database } from '../store/database.ts';
import { findPayment } from '../store/payments.ts';

/** Throws PAYMENT_NOT_FOUND also for somebody else's: that it exists is nobody's business. */
export async function getPayment(
  { db }: { db: Kysely<Database> },
  caller: Caller,
  id: string,
): Promise<Payment> {
  const payment = isPaymentId(id) ? await findPayment(db, id) : undefined;
  if (!payment || !maySee(caller, payment)) {
    throw new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
  }
  return viewFor(caller, payment);
}
