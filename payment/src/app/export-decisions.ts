/**
 * Reads all decisions that authorization made, with the requests that it made them about. Payment stores each before a caller learns of
 * it, so with them authorization can restore what it lost.
 */
import type { Kysely } from 'kysely';
import { encodeDecidedOperation, encodeDecidedPayment } from '../clients/authorization.ts';
import { startOf } from '../domain/history.ts';
import type { Database } from '../store/database.ts';
import { nextPayments } from '../store/histories.ts';
import { type DecidedPayment, readDecided } from '../store/stored-decisions.ts';

const PAYMENTS_AT_ONCE = 500;

/** Yields encoded messages DecidedStep. `from` leaves out payments that have not changed since. */
export async function* exportDecisions(
  db: Kysely<Database>,
  from: Date | undefined,
): AsyncGenerator<Uint8Array[]> {
  for (let afterId = ''; ; ) {
    const visited = await nextPayments(db, { afterId, from, limit: PAYMENTS_AT_ONCE });
    const ids = visited.filter(({ isChanged }) => isChanged).map(({ id }) => id);
    if (ids.length > 0) yield (await readDecided(db, ids)).flatMap(stepsOf);
    const newest = visited.at(-1);
    if (!newest) return;
    afterId = newest.id;
  }
}

function stepsOf({ payment, decision, operations }: DecidedPayment): Uint8Array[] {
  const { payment: start } = startOf(payment, decision);
  return [
    encodeDecidedPayment(start, decision.record),
    ...operations.map((operation) => encodeDecidedOperation(operation, payment, operation.decision)),
  ];
}
