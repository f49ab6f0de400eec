/** The delay of an outcome that a magic reference asks for. Only with SANDBOX=on. Pure. */
import { readMagicReference } from '@payflowx/proto/sandbox';
import type { Order } from './order.ts';

/** Milliseconds from the creation to the decision. Undefined if the order asks for none, and for deposits and withdrawals. */
export function playedDelayMs({ kind, reference }: Pick<Order, 'kind' | 'reference'>): number | undefined {
  if (kind !== 'PAYMENT') return undefined;
  const magic = readMagicReference(reference);
  return magic?.kind === 'unknown' ? magic.seconds * 1_000 : undefined;
}
