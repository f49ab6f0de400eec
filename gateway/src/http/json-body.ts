/**
 * Parses JSON bodies strictly. JSON.parse accepts some bad texts, or changes them silently. Refused here: duplicate names (it is
 * unclear which value counts), numbers that it would round, text that is not Unicode, NUL characters (PostgreSQL cannot store
 * them), and unlimited nesting.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problem.ts';
import { ALWAYS_EXACT_DIGITS, findRounded } from './exact-numbers.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for a POST that may have no body. No body is the same as `{}`. */
    optionalBody?: boolean;
  }
}

/** Larger bodies get 413. */
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

  defaultToEmptyBody(app);
  // Only JSON is parsed. text/plain, which Fastify accepts by default, gets 415.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    // No route matches, so the body is not needed. The response is about the path.
    if (request.is404) return done(null);
    if (bytes.length === 0 && request.routeOptions.config.optionalBody) return done(null, {});
    if (!isUtf8(bytes)) return done(invalidJson('The body is not UTF-8.'));
    const text = bytes.toString('utf8');
    const { members, depth, isPlain } = measure(text);
    if (depth > MAX_DEPTH) return done(invalidJson(`The body is nested more than ${MAX_DEPTH} levels deep.`));
    parseSafely(request, text, (error, value) => {
      if (error) return done(invalidJson('The body is not JSON, or has a name that is never allowed.'));
      done(checkValue(text, value, members) ?? (isPlain ? null : checkNumbers(text)), value);
    });
  });
}

/** Without a content type the parser does not run. The validation still needs an object. */
function defaultToEmptyBody(app: FastifyInstance): void {
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
  if (countMembers(value) !== members) return invalidJson('A name occurs twice in one object of the body.');
  // Raw NULs and broken UTF-8 were refused before. Only an escape can still add a bad character.
  const pointer = text.includes('\\u') ? findBadText(value, '') : undefined;
  if (pointer === undefined) return null;
  const detail = 'has a NUL character or half of a surrogate pair';
  return new ProblemError('INVALID_REQUEST', `${pointer.slice(1)} ${detail}.`, {
    errors: [{ pointer, detail, in: 'body' }],
  });
}

function checkNumbers(text: string): ProblemError | null {
  const pointer = findRounded(text);
  if (pointer === undefined) return null;
  const detail = 'has more digits than a number of this API may have';
  return new ProblemError('INVALID_REQUEST', `${pointer.slice(1) || 'The body'} ${detail}.`, {
    errors: [{ pointer, detail, in: 'body' }],
  });
}

function invalidJson(detail: string): ProblemError {
  return new ProblemError('INVALID_JSON', detail);
}

export interface Measures {
  /** Members of all objects. */
  members: number;
  depth: number;
  /** True if every number is a short integer. Only other numbers can be rounded. */
  isPlain: boolean;
}

/** Counts characters outside strings: a colon for each member, brackets for the deepest nesting, and the digits of numbers. */
export function measure(text: string): Measures {
  let isPlain = true;
  let digits = 0;
  let members = 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (character >= 0x30 && character <= 0x39) {
      digits += 1;
      if (digits > ALWAYS_EXACT_DIGITS) isPlain = false;
      continue;
    }
    // A fraction, or an exponent. No other character than these follows a digit and belongs to its number.
    if (digits > 0 && (character === 0x2e || (character | 0x20) === 0x65)) isPlain = false;
    digits = 0;
    switch (character) {
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
  return { members, depth: deepest, isPlain };
}

/**
 * Returns the index where the string that starts at `start` ends. For a string without an end it is the end of the text; the
 * parser then refuses the text.
 */
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

/** Counts the members of all objects in `value`. If there are fewer than colons in the text, a name occurs twice. */
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

/** Returns the JSON pointer to the first text or name with a NUL or half a surrogate pair. */
function findBadText(value: unknown, pointer: string): string | undefined {
  if (typeof value === 'string') return isBad(value) ? pointer : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    // A bad name cannot be shown, so the pointer names the object that contains it.
    const found = isBad(key) ? pointer : findBadText(item, `${pointer}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isBad(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed();
}
