/** Named schemas. Each is one component of the OpenAPI document, and other schemas refer to it. */
import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';

export type Named<T extends TSchema> = T & { $id: string };

/** Sets the name of `schema` in the document. Every named schema must be in NAMED_SCHEMAS (all-routes.ts). */
export function named<T extends TSchema>(name: string, schema: T): Named<T> {
  return { ...schema, $id: name };
}

/** A reference to a named schema. Its type is that of the schema. */
export function ref<T extends TSchema>(schema: Named<T>): TUnsafe<Static<T>> {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` });
}

/**
 * A copy of `schema` that also allows null. It is a copy, because the serializer accepts a bigint neither in `anyOf` nor in
 * `oneOf`. Only for schemas with a single type.
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
