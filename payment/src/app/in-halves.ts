import { failed, type Result } from '@payflowx/chassis';

/**
 * Does a batch as a whole. One that fails because of an item in it is done again in halves, so that in the end only that item fails
 * and not, attempt after attempt, all that are taken up with it. One result each, in order. Rejects with what `isAboutAnItem` denies.
 */
export async function inHalves<I, O>(
  items: readonly I[],
  work: (items: readonly I[]) => Promise<Result<O>[]>,
  isAboutAnItem: (error: unknown) => boolean,
): Promise<Result<O>[]> {
  try {
    return await work(items);
  } catch (error) {
    if (!isAboutAnItem(error)) throw error;
    if (items.length === 1) return [failed(error)];
    const middle = Math.ceil(items.length / 2);
    return [
      ...(await inHalves(items.slice(0, middle), work, isAboutAnItem)),
      ...(await inHalves(items.slice(middle), work, isAboutAnItem)),
    ];
  }
}
