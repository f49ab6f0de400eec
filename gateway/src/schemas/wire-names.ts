/** Maps the enum numbers of the contracts to names in JSON, and back. */
import { Type } from 'typebox';

/** `table` has every number that a client may see. Any other number from a service is a bug, and throws. */
export function wireNames<const T extends Record<number, string>>(description: string, table: T) {
  type Name = T[keyof T] & string;
  const names = Object.values(table) as Name[];
  const numbers = new Map(Object.entries(table).map(([number, name]) => [name, Number(number)]));
  return {
    schema: Type.Unsafe<Name>({ type: 'string', enum: names, description }),
    nameOf(number: number): Name {
      const name = table[number];
      if (name === undefined) throw new Error(`Unknown enum number ${number}: ${description}`);
      return name as Name;
    },
    numberOf(name: Name): keyof T & number {
      return numbers.get(name) as keyof T & number;
    },
  };
}
