/** Finds the item that makes a batch fail, so that the others do not fail with it. */
import { isStatementTimeout, isTransient } from '../sql-state.ts';
import { failed, type Result } from './batcher.ts';

/**
 * Processes a batch. If the batch fails because of one item, its halves are processed again, and so on. In the end only that item
 * fails. The halves run one after the other, so the items keep their order.
 *
 * Returns one result for each item, in order. Rejects with an error if `isItemError` returns false for it.
 */
export async function splitOnFailure<I, O>(
  items: readonly I[],
  work: (items: readonly I[]) => Promise<Result<O>[]>,
  isItemError: (error: unknown, itemCount: number) => boolean = maySucceedInParts,
): Promise<Result<O>[]> {
  try {
    return await work(items);
  } catch (error) {
    if (!isItemError(error, items.length)) throw error;
    if (items.length === 1) return [failed(error)];
    const middle = Math.ceil(items.length / 2);
    return [
      ...(await splitOnFailure(items.slice(0, middle), work, isItemError)),
      ...(await splitOnFailure(items.slice(middle), work, isItemError)),
    ];
  }
}

/**
 * True if a part of the batch may succeed: one item is at fault, or the batch is too much work for one statement. If a single item
 * takes too long, the database is slow, and further statements would take as long.
 */
export function maySucceedInParts(error: unknown, itemCount: number): boolean {
  return isStatementTimeout(error) ? itemCount > 1 : !isTransient(error);
}
