/** Names and values of a requester, of an account or of a payment. Pure. */
import { invalid } from './errors.ts';

export type Metadata = Readonly<Record<string, string>>;

export const MAX_PAIRS = 20;

export interface MetadataChange {
  /** New values by name. Names that are not mentioned keep theirs. */
  readonly metadata: Metadata;
  readonly removedMetadata: readonly string[];
}

/** Returns the same object if nothing changes. Throws INVALID_ARGUMENT if it would have too many pairs. */
export function changedMetadata(
  metadata: Metadata,
  { metadata: changes, removedMetadata }: MetadataChange,
): Metadata {
  const removed = new Set(removedMetadata.filter((key) => Object.hasOwn(metadata, key)));
  const isChanged = Object.entries(changes).some(
    ([key, value]) => metadata[key] !== value || removed.has(key),
  );
  if (!isChanged && removed.size === 0) return metadata;
  const kept = Object.entries(metadata).filter(([key]) => !removed.has(key));
  const changed = Object.fromEntries([...kept, ...Object.entries(changes)]);
  if (Object.keys(changed).length > MAX_PAIRS)
    throw invalid([{ field: 'metadata', description: `must have at most ${MAX_PAIRS} pairs` }]);
  return changed;
}
