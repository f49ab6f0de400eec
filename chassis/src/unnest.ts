/** Rows as a table in a statement, at little cost for both ends of the connection. */
import { type RawBuilder, sql } from 'kysely';

/**
 * `sql\`insert into t (id, n) select id, n from ${unnest(rows, { id: 'text', n: 'int8' })} as r\``. Beside its columns a row has its
 * `ordinality`, from 1. One parameter a column, so the statement's text, and with it its plan, is the same for any number of rows.
 * A value of type `json` is text that is JSON already; of `jsonb`, anything that becomes JSON here.
 */
export function unnest<R extends object>(
  rows: readonly R[],
  types: { [K in keyof R & string]?: string },
): RawBuilder<unknown> {
  const columns = Object.entries(types) as [keyof R & string, string][];
  const arrays = columns.map(
    ([name, type]) => sql`${arrayLiteral(rows, name, type)}::${sql.raw(`${type}[]`)}`,
  );
  const names = sql.join([...columns.map(([name]) => sql.id(name)), sql`ordinality`]);
  return sql`(select ${names} from unnest(${sql.join(arrays)}) with ordinality as u(${names}))`;
}

/**
 * The column as PostgreSQL reads an array (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO). pg would make the same of a
 * JavaScript array, by two regular expressions a value and with times in the local zone: a seventh of all that payment allocated.
 */
function arrayLiteral<R extends object>(rows: readonly R[], name: keyof R, type: string): string {
  let literal = '{';
  for (const row of rows) {
    if (literal.length > 1) literal += ',';
    literal += element(row[name], type);
  }
  return `${literal}}`;
}

function element(value: unknown, type: string): string {
  if (value === null || value === undefined) return 'NULL';
  if (type === 'jsonb') return quoted(JSON.stringify(value));
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (value instanceof Uint8Array) return `"\\\\x${hex(value)}"`;
  return String(value);
}

function quoted(text: string): string {
  const isPlain = !text.includes('"') && !text.includes('\\');
  return isPlain ? `"${text}"` : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function hex({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex');
}
