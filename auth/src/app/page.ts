/** Pages of identities and their records, newest first. */
import { cutPage, type Page } from '@payflowx/chassis';

/** The size of a page, and the id before which it starts. */
export interface PageRequest {
  pageSize: number;
  beforeId: string | undefined;
}

/** `found` has one row more than the page if there is another page. */
export function toPage<T extends { id: string }>(found: readonly T[], pageSize: number): Page<T> {
  return cutPage(found, pageSize, ({ id }) => ({ before: id }));
}
