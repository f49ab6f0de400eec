/** Secret keys of a setting that may have several: the first is used for everything new, and each is accepted. */

/** One key, or several: the first is used, each is accepted. */
export type Keys = Buffer | readonly Buffer[];

export function listKeys(keys: Keys): readonly Buffer[] {
  return Buffer.isBuffer(keys) ? [keys] : keys;
}

export function firstKey(keys: Keys): Buffer {
  const [first] = listKeys(keys);
  if (!first) throw new Error('There is no key.');
  return first;
}
