/** Passes many rows to a statement as a table. */
import { type RawBuilder, sql } from 'kysely';
import { binaryArray, type ColumnType, type ColumnValues } from './binary-array.ts';

/** jsonb takes any value, the other types take those of ColumnValues. */
type Types<R> = {
  [K in keyof R & string]?:
    | { [T in ColumnType]: R[K] extends ColumnValues[T] | null | undefined ? T : never }[ColumnType]
    | 'jsonb';
};

/**
 * Returns rows as a table in a statement: `sql\`insert into t (id, n) select id, n from ${unnest(rows, { id: 'text', n: 'int8'
 * })} as r\``.
 *
 * Each column is one parameter, so the text of the statement, and its plan, are the same for any number of rows. `ordinality`
 * counts the rows from 1.
 */
export function unnest<R extends object>(rows: readonly R[], types: Types<R>): RawBuilder<unknown> {
  const columns = Object.entries(types) as [keyof R & string, ColumnType | 'jsonb'][];
  const arrays = columns.map(([name, type]) =>
    toArray(
      type,
      rows.map((row) => row[name]),
    ),
  );
  // Not generate_series: the planner expects a thousand rows from it, prefers a plan for the actual number, and so plans each
  // time.
  const ordinality = binaryArray(
    'int4',
    rows.map((_, index) => index + 1),
  );
  return sql(templateOf(columns), ...arrays, ordinality);
}

function toArray(type: ColumnType | 'jsonb', values: readonly unknown[]): Buffer {
  return type === 'jsonb'
    ? binaryArray('text', values.map(toJson))
    : binaryArray(type, values as ColumnValues[ColumnType][]);
}

function toJson(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

/**
 * The text around the parameters, as one piece of SQL for Kysely, because each piece costs CPU. The functions are in the select
 * list, where Postgres reads their rows one by one. In `from` it would store each column first.
 */
function templateOf(columns: readonly [name: string, type: string][]): TemplateStringsArray {
  const afterColumns = columns.map(([name, type]) =>
    type === 'jsonb' ? `::text[])::jsonb as "${name}", unnest(` : `::${type}[]) as "${name}", unnest(`,
  );
  const parts = ['(select unnest(', ...afterColumns, '::int4[]) as ordinality)'];
  return Object.assign(parts, { raw: parts });
}
