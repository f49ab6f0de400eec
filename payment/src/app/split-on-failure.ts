import { failed, type Result } from '@payflowx/chassis';

/**
 * Processes a batch. If the batch fails because of one item, its halves are processed again, and so on. In the end only that item
 * fails, and not all the others with it on each attempt.
 *
 * Returns one result for each item, in order. Rejects with an error if `isItemError` returns false for it.
 */
export async function splitOnFailure<I, O>(
  items: readonly I[],
  work: (items: readonly I[]) => Promise<Result<O>[]>,
  isItemError: (error: unknown) => boolean,
): Promise<Result<O>[]> {
  try {
    return await work(items);
  } catch (error) {
    if (!isItemError(error)) throw error;
    if (items.length === 1) return [failed(error)];
    const middle = Math.ceil(items.length / 2);
    return [
      ...(await splitOnFailure(items.slice(0, middle), work, isItemError)),
      ...(await splitOnFailure(items.slice(middle), work, isItemError)),
    ];
  }
}
