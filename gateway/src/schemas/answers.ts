/** The error responses of a route. openapi/answers.ts adds those that any route can have. */
import type { TSchema } from 'typebox';
import { type DeclineCode, PROBLEMS, type ProblemCode } from '../problems/problem-codes.ts';
import type { Named } from './named.ts';
import { ref } from './named.ts';
import { Problem } from './problem.ts';

type Code = ProblemCode | DeclineCode;

/** Holds the codes for the OpenAPI document, besides the parts that the serializer uses. */
export interface Refusals {
  description: string;
  content: { 'application/problem+json': { schema: TSchema; codes: readonly Code[] } };
}

/** The errors with one status. The type is `never`: handlers throw these errors and never return them. */
export function problem(
  codes: readonly Code[],
  description = describe(codes),
  schema: Named<TSchema> = Problem,
): never {
  return { description, content: { 'application/problem+json': { schema: ref(schema), codes } } } as never;
}

export function describe(codes: readonly Code[]): string {
  const titles = codes.flatMap((code) => (code in PROBLEMS ? PROBLEMS[code as ProblemCode].title : []));
  return `${titles.join('; or: ')}.`;
}
