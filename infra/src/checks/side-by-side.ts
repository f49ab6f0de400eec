/** Works through a list, some items at a time. */
export async function sideBySide<T, R>(
  width: number,
  items: Iterable<T>,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items][Symbol.iterator]();
  const worker = async () => {
    for (const item of waiting) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
