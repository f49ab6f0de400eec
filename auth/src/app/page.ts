/** Cuts a page out of what was found with one more than asked for, which tells whether there is a next page. */
export interface Page<T> {
  items: T[];
  /** Where the next page starts; undefined on the last one. */
  nextBeforeId: string | undefined;
}

export function toPage<T extends { id: string }>(found: readonly T[], pageSize: number): Page<T> {
  const items = found.slice(0, pageSize);
  return { items, nextBeforeId: found.length > pageSize ? items.at(-1)?.id : undefined };
}

/** Which page is wanted. */
export interface PageRequest {
  pageSize: number;
  beforeId: string | undefined;
}
