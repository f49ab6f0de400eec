/** Tables of lists, with keyset paging. A row links to its page, by mouse and by keyboard. */
import { useNavigate } from '@tanstack/react-router';
import type { MouseEvent, ReactNode } from 'react';
import type { Pages } from '../api/api.ts';
import { Empty, ErrorNote, Loading } from './parts.tsx';

export interface Column<T> {
  head: string;
  /** Amounts and counts stand on the right. */
  right?: boolean;
  cell: (item: T) => ReactNode;
}

interface TableProps<T> {
  caption: string;
  items: readonly T[];
  columns: readonly Column<T>[];
  keyOf: (item: T) => string;
  /** The page of a row. A cell of the row should have a link to it, for the keyboard. */
  hrefOf?: (item: T) => string;
}

export function Table<T>({ caption, items, columns, keyOf, hrefOf }: TableProps<T>) {
  const navigate = useNavigate();
  const open = (event: MouseEvent, item: T) => {
    if (!hrefOf || (event.target as Element).closest('a, button, input') || getSelection()?.toString())
      return;
    void navigate({ to: hrefOf(item) });
  };
  return (
    // A region that scrolls must be reachable by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section className="table-wrap" aria-label={caption} tabIndex={0}>
      <table>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ head, right }) => (
              <th key={head} scope="col" className={right ? 'right' : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)} className={hrefOf && 'linked'} onClick={(event) => open(event, item)}>
              {columns.map(({ head, right, cell }) => (
                <td key={head} data-head={head} className={right ? 'right' : undefined}>
                  <div>{cell(item)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface ListProps<T> extends Omit<TableProps<T>, 'items'> {
  pages: Pages<T>;
  empty: ReactNode;
}

export function List<T>({ pages, empty, ...table }: ListProps<T>) {
  const { items, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  if (!items) {
    return error ? (
      <div className="body">
        <ErrorNote error={error} retry={() => void refetch()} />
      </div>
    ) : (
      <Loading rows={6} />
    );
  }
  return (
    <>
      {error && (
        <div className="body">
          <ErrorNote error={error} retry={() => void refetch()} />
        </div>
      )}
      {items.length === 0 ? (
        typeof empty === 'string' ? (
          <Empty title={empty} />
        ) : (
          empty
        )
      ) : (
        <Table items={items} {...table} />
      )}
      {hasNextPage && (
        <div className="table-foot">
          <button
            type="button"
            className="button"
            disabled={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {isFetchingNextPage ? 'Loading…' : 'Load more'}
          </button>
        </div>
      )}
    </>
  );
}
