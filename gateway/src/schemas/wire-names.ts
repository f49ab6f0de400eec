/** The numbers of the contracts' enums and their names in JSON, both ways. */
import { Type } from 'typebox';

/** `table` names every number that may be seen; a neighbour's other number is a bug that surfaces at once. */
export function wireNames<const T extends Record<number, string>>(description: string, table: T) {
  type Name = T[keyof T] & string;
  const names = Object.values(table) as Name[];
  const numbers = new Map(Object.entries(table).map(([number, name]) => [name, Number(number)]));
  return {
    schema: Type.Unsafe<Name>({ type: 'string', enum: names, description }),
    nameOf(number: number): Name {
      const name = table[number];
      if (name === undefined) throw new Error(`There is no name for ${number}: ${description}`);
      return name as Name;
    },
    numberOf(name: Name): keyof T & number {
      return numbers.get(name) as keyof T & number;
    },
  };
}
