/** Ranks by Zipf's law: rank k is drawn in proportion to 1/k^s. */

/** Draws ranks 0 … size-1, the first most often. Exact: searches a table of the distribution. */
export function createZipf(size: number, exponent: number, random: () => number): () => number {
  const cumulative = new Float64Array(size);
  let sum = 0;
  for (let rank = 0; rank < size; rank += 1) {
    sum += 1 / (rank + 1) ** exponent;
    cumulative[rank] = sum;
  }
  return () => {
    const drawn = random() * sum;
    let low = 0;
    let high = size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
