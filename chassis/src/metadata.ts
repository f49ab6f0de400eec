/**
 * Names and values that callers attach to payments, accounts and users, for their own systems. Pure, and an entry of its own, so
 * that the domain of a service can import it.
 */
import { textProblem, type Violations } from './errors.ts';

export type Metadata = Readonly<Record<string, string>>;

export interface MetadataChange {
  /** New values by name. Names that are not mentioned keep theirs. */
  readonly metadata: Metadata;
  /** A name that also has a new value keeps the new value. */
  readonly removedMetadata: readonly string[];
}

/** Together they limit the bytes that one decision stores and that a rule reads. */
const MAX_PAIRS = 20;
const MAX_NAME = 40;
const MAX_VALUE = 500;

/** `path` is that of the message which has the metadata, with a dot at its end. */
export function requireMetadata(violations: Violations, metadata: Metadata, path = ''): void {
  const field = `${path}metadata`;
  const pairs = Object.entries(metadata);
  violations.require(pairs.length <= MAX_PAIRS, field, `must have at most ${MAX_PAIRS} pairs`);
  for (const [name, value] of pairs) {
    const isName = name !== '' && textProblem(name, MAX_NAME) === undefined;
    violations.require(isName, field, `keys must be 1 to ${MAX_NAME} characters, none of them NUL`);
    if (isName) violations.requireText(`${field}.${name}`, value, MAX_VALUE);
  }
}

/** Returns the same object if nothing changes. The result may have too many pairs: see `requireMetadata`. */
export function changedMetadata(before: Metadata, { metadata, removedMetadata }: MetadataChange): Metadata {
  const removed = new Set(removedMetadata.filter((name) => Object.hasOwn(before, name)));
  const isChanged = Object.entries(metadata).some(
    ([name, value]) => before[name] !== value || removed.has(name),
  );
  if (!isChanged && removed.size === 0) return before;
  const kept = Object.entries(before).filter(([name]) => !removed.has(name));
  return Object.fromEntries([...kept, ...Object.entries(metadata)]);
}
