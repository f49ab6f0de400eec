/**
 * Cuts a page out of the rows found. The query reads one row more than the page size; that row shows that there is a next page.
 */
export interface Page<T> {
  items: T[];
  /** The id before which the next page starts. Undefined on the last page. */
  nextBeforeId: string | undefined;
}

export function toPage<T extends { id: string }>(found: readonly T[], pageSize: number): Page<T> {
  const items = found.slice(0, pageSize);
  return { items, nextBeforeId: found.length > pageSize ? items.at(-1)?.id : undefined };
}

/** The size of a page, and the id before which it starts. */
export interface PageRequest {
  pageSize: number;
  beforeId: string | undefined;
}
