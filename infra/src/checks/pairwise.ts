/** Works through a list, two items at a time. Most of the work is waiting, and the smallest machine has two cores. */
export async function pairwise<T, R>(items: Iterable<T>, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items][Symbol.iterator]();
  const worker = async () => {
    for (const item of waiting) results.push(await work(item));
  };
  await Promise.all([worker(), worker()]);
  return results;
}
