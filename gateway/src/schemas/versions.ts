/**
 * Versions of accounts and rules: an ETag in responses, If-Match in requests (RFC 9110). No caller can change a version that it
 * has not read.
 */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';

const ifMatch = Type.String({
  pattern: '^"[1-9][0-9]{0,17}"$',
  description:
    'The ETag of the version that the change is based on: the version in quotes. If it is not the current version, the response is 412.',
  examples: ['"1"'],
});

/** For changes to a version that the caller has read. A request without it gets 428. */
export const requiredVersion = Type.Object({ 'if-match': ifMatch });

export const optionalVersion = Type.Object({ 'if-match': Type.Optional(ifMatch) });

export function versionOf(tag: string): bigint {
  return BigInt(tag.slice(1, -1));
}

/** Sets the ETag, and returns the body. */
export function withETag<T extends { version: bigint }>(body: T, reply: FastifyReply): T {
  reply.header('etag', `"${body.version}"`);
  return body;
}
