/**
 * Reads JSON bodies strictly. What JSON.parse lets pass or changes silently is refused: a name given twice (which value
 * counts?), text that is not Unicode, NUL characters (PostgreSQL cannot store them), nesting without end.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For a POST that can go without a body: none is the same as `{}`. */
    optionalBody?: boolean;
  }
}

/** Bodies over this are refused with 413. */
export const BODY_LIMIT_BYTES = 64 * 1024;
/** Far more than any schema here has. */
const MAX_DEPTH = 16;

export function readJsonBodies(app: FastifyInstance): void {
  // Fastify's own parser refuses __proto__ and constructor.prototype (secure-json-parse).
  const parseSafely = app.getDefaultJsonParser('error', 'error') as (
    request: FastifyRequest,
    body: string,
    done: (error: Error | null, value?: unknown) => void,
  ) => void;

  standInForNoBody(app);
  // Nothing but JSON is read: text/plain, which Fastify takes by default, is 415.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    // There is nothing to read it for: the answer is about the path.
    if (request.is404) return done(null);
    if (bytes.length === 0 && request.routeOptions.config.optionalBody) return done(null, {});
    if (!isUtf8(bytes)) return done(invalidJson('The body is not UTF-8.'));
    const text = bytes.toString('utf8');
    const { members, depth } = measure(text);
    if (depth > MAX_DEPTH) return done(invalidJson(`The body is nested more than ${MAX_DEPTH} levels deep.`));
    parseSafely(request, text, (error, value) => {
      if (error) return done(invalidJson('The body is not JSON, or holds a name that is never allowed.'));
      done(checkValue(text, value, members), value);
    });
  });
}

/** Only without a content type is there nothing to parse; what is validated is an object all the same. */
function standInForNoBody(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!route.config?.optionalBody) return;
    route.preValidation = [
      (request, _reply, done) => {
        if (request.body === undefined) request.body = {};
        done();
      },
    ];
  });
}

function checkValue(text: string, value: unknown, members: number): ProblemError | null {
  if (countMembers(value) !== members) return invalidJson('A name is given twice in one object of the body.');
  // Raw NULs and broken UTF-8 are out already: only an escape can still bring in a bad character.
  const pointer = text.includes('\\u') ? findBadText(value, '') : undefined;
  if (pointer === undefined) return null;
  const detail = 'holds a NUL character or half of a surrogate pair';
  return new ProblemError('INVALID_REQUEST', `${pointer.slice(1)} ${detail}.`, {
    errors: [{ pointer, detail, in: 'body' }],
  });
}

function invalidJson(detail: string): ProblemError {
  return new ProblemError('INVALID_JSON', detail);
}

/** Counts what stands outside strings: a colon for each member, and the deepest nesting. */
export function measure(text: string): { members: number; depth: number } {
  let members = 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x3a: // :
        members += 1;
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        if (depth > deepest) deepest = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
    }
  }
  return { members, depth: deepest };
}

/** Where the string that starts at `start` ends. A text that breaks off ends there too: the parser will refuse it. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes += 1;
  return backslashes % 2 === 1;
}

/** Members of all objects in `value`; fewer than colons in its text means that a name was given twice. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
    return members;
  }
  for (const key in value) members += 1 + countMembers((value as Record<string, unknown>)[key]);
  return members;
}

/** JSON pointer to the first text, or the first name, that holds a NUL or half a surrogate pair. */
function findBadText(value: unknown, pointer: string): string | undefined {
  if (typeof value === 'string') return isBad(value) ? pointer : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    // The name itself cannot be shown: the object that holds it is as near as one gets.
    const found = isBad(key) ? pointer : findBadText(item, `${pointer}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isBad(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}
