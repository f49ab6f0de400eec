/** Many rows as a table in a statement. */
import { type RawBuilder, sql } from 'kysely';
import { binaryArray, type ColumnType, type ColumnValues } from './binary-array.ts';

/** jsonb takes any value, the others what ColumnValues says. */
type Types<R> = {
  [K in keyof R & string]?:
    | { [T in ColumnType]: R[K] extends ColumnValues[T] | null | undefined ? T : never }[ColumnType]
    | 'jsonb';
};

/**
 * Rows as a table in a statement: `sql\`insert into t (id, n) select id, n from ${unnest(rows, { id: 'text', n: 'int8' })} as r\``.
 * One parameter a column, so the statement's text, and with it its plan, is the same for any number of rows. `ordinality` counts them
 * from 1.
 */
export function unnest<R extends object>(rows: readonly R[], types: Types<R>): RawBuilder<unknown> {
  const columns = Object.entries(types) as [keyof R & string, ColumnType | 'jsonb'][];
  const arrays = columns.map(([name, type]) =>
    toArray(
      type,
      rows.map((row) => row[name]),
    ),
  );
  // Not generate_series: the planner takes it for a thousand rows, prefers a plan for the given number, and plans each time.
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
 * The text round the parameters, all of it one piece of SQL to Kysely: each piece costs. The functions stand in the select list, where
 * Postgres takes their rows one by one; in `from` it would store each column first.
 */
function templateOf(columns: readonly [name: string, type: string][]): TemplateStringsArray {
  const afterColumns = columns.map(([name, type]) =>
    type === 'jsonb' ? `::text[])::jsonb as "${name}", unnest(` : `::${type}[]) as "${name}", unnest(`,
  );
  const parts = ['(select unnest(', ...afterColumns, '::int4[]) as ordinality)'];
  return Object.assign(parts, { raw: parts });
}
