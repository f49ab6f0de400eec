/** What a route may answer besides its success. Those that any route can give are added to the document by openapi.ts. */
import type { TSchema } from 'typebox';
import type { Named } from './named.ts';
import { ref } from './named.ts';
import { Problem } from './problem.ts';

/** A refusal in the document and for the serializer. Typed as nothing: handlers throw these, they never return them. */
export function problem(description: string, schema: Named<TSchema> = Problem): never {
  return { description, content: { 'application/problem+json': { schema: ref(schema) } } } as never;
}
