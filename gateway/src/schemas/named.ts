/** Schemas with a name: one component of the OpenAPI document each, referred to wherever they are used. */
import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';

export type Named<T extends TSchema> = T & { $id: string };

/** Gives `schema` the name under which it appears in the document. The server must be told of each: see server.ts. */
export function named<T extends TSchema>(name: string, schema: T): Named<T> {
  return { ...schema, $id: name };
}

/** A reference to a named schema. Types as the schema itself. */
export function ref<T extends TSchema>(schema: Named<T>): TUnsafe<Static<T>> {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` });
}

/**
 * What is said by `schema`, or null; written out, because the serializer takes a bigint neither in `anyOf` nor in `oneOf`. Only for
 * schemas with a single type.
 */
export function nullable<T extends TSchema & { type: string }>(
  schema: T,
  description?: string,
): TUnsafe<Static<T> | null> {
  const { $id: _, ...unnamed } = schema as T & { $id?: string };
  return Type.Unsafe<Static<T> | null>({
    ...unnamed,
    type: [schema.type, 'null'],
    ...(description !== undefined && { description }),
  });
}
