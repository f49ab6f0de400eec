/**
 * Keyset paging (AIP-158): a page token contains the last row of the previous page. Handlers read and write positions with these
 * functions. The server turns a position into a token that callers cannot change: see page-tokens.ts.
 */
import { Ajv } from 'ajv';
import type { Static, TSchema } from 'typebox';
import { CallError } from './errors.ts';
import { invalidPageToken } from './page-tokens.ts';

/**
 * TypeBox's own checker would also work, but loads three hundred more modules in each service. Ajv is already loaded, to read the
 * environment.
 */
const ajv = new Ajv();

/** Returns the page size: the default for 0, and at most the maximum. Throws CallError INVALID_PAGE_SIZE below 0. */
export function pageSizeOf(requested: number, { standard = 20, max = 100 } = {}): number {
  if (requested < 0) {
    throw new CallError('INVALID_PAGE_SIZE', 'page_size must not be negative.', {
      violations: [{ field: 'page_size', description: 'must be 0 or more' }],
    });
  }
  return requested === 0 ? standard : Math.min(requested, max);
}

export function encodePageToken(position: object): string {
  return JSON.stringify(position);
}

export interface Page<T> {
  rows: T[];
  /** Empty on the last page. */
  nextPageToken: string;
}

/**
 * Cuts a page out of the rows found. Read one row more than the page size: that row shows that there is another page. `positionOf`
 * returns the position of the page's last row.
 */
export function cutPage<T>(found: readonly T[], size: number, positionOf: (last: T) => object): Page<T> {
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  const hasMore = found.length > size && last !== undefined;
  return { rows, nextPageToken: hasMore ? encodePageToken(positionOf(last)) : '' };
}

/**
 * Returns the value that was passed to `encodePageToken`, or undefined for the first page. Throws CallError INVALID_PAGE_TOKEN
 * for anything else, such as a position that another version of the service wrote. The schema must be a constant: it is compiled once
 * and cached.
 */
export function decodePageToken<T extends TSchema>(token: string, schema: T): Static<T> | undefined {
  if (token === '') return undefined;
  try {
    const position: unknown = JSON.parse(token);
    if (ajv.validate(schema, position)) return position as Static<T>;
  } catch {
    // Not JSON: refused like JSON of another schema.
  }
  throw invalidPageToken();
}
