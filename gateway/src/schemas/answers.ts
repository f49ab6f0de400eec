/** What a route may answer besides its success. Those that any route can give are added by openapi/answers.ts. */
import type { TSchema } from 'typebox';
import { type DeclineCode, PROBLEMS, type ProblemCode } from '../problems/problem-codes.ts';
import type { Named } from './named.ts';
import { ref } from './named.ts';
import { Problem } from './problem.ts';

type Code = ProblemCode | DeclineCode;

/** As the document needs it, besides what the serializer knows of: which codes there are. */
export interface Refusals {
  description: string;
  content: { 'application/problem+json': { schema: TSchema; codes: readonly Code[] } };
}

/** Refusals with one status. Typed as nothing: handlers throw these, they never return them. */
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
