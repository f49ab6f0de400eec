/** Lists: a request has a limit and an opaque cursor, a response has a page and the next cursor. */
import { MAX_PAGE_TOKEN_LENGTH } from '@payflowx/chassis';
import { type TSchema, Type } from 'typebox';
import { type Named, named, ref } from './named.ts';

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 20,
      description: 'Maximum number of items in the response.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_PAGE_TOKEN_LENGTH,
      pattern: '^[\\x21-\\x7e]+$',
      description: 'The `next_cursor` of the previous page, by the same caller, with the same filters.',
    }),
  ),
};

/** A query string with these parameters and no others. */
export const query = <T extends Record<string, TSchema>>(parameters: T) =>
  Type.Object(parameters, { additionalProperties: false });

/** The page fields of an RPC. The cursor is the page token of the other service, which creates and checks it. */
export const pageRequest = ({ limit, cursor }: { limit?: number; cursor?: string }) => ({
  pageSize: limit ?? 20,
  pageToken: cursor ?? '',
});

export const nextCursor = Type.Unsafe<string | null>({
  type: ['string', 'null'],
  description: 'The `cursor` of the next page; null on the last page.',
});

export function pageOf<T extends TSchema>(name: string, item: Named<T>) {
  return named(
    name,
    Type.Object({
      data: Type.Array(ref(item)),
      next_cursor: nextCursor,
    }),
  );
}

export function pageJson<T>(data: T[], nextPageToken: string): { data: T[]; next_cursor: string | null } {
  return { data, next_cursor: nextPageToken === '' ? null : nextPageToken };
}
