/**
 * Sums that may exceed int8. Such a sum has two columns: `x_minor` is an int8, and `x_beyond` has what did not fit in it. The batch
 * that is added always fits, because it has few events.
 */
import { type RawBuilder, sql } from 'kysely';

/** Selects a sum with its name. pg returns a numeric as text. */
export function wholeSum<Name extends string>(name: Name) {
  return sql<string>`${minor(name)} + ${beyond(name)}`.as(name);
}

/** The assignments of an upsert that adds the excluded row to `table`. */
export function addToSum(table: string, name: string): RawBuilder<unknown> {
  const [sum, added, rest] = [
    minor(`${table}.${name}`),
    minor(`excluded.${name}`),
    beyond(`${table}.${name}`),
  ];
  const fits = sql`${sum} <= 9223372036854775807 - ${added}`;
  return sql`${minor(name)} = case when ${fits} then ${sum} + ${added} else ${sum} end,
      ${beyond(name)} = case when ${fits} then ${rest} else ${rest} + ${added} end`;
}

const minor = (name: string) => sql.ref(`${name}_minor`);
const beyond = (name: string) => sql.ref(`${name}_beyond`);
