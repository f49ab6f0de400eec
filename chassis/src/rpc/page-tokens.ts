/**
 * Encrypts page tokens. The server does it for every RPC with a `page_token` and a `next_page_token` (AIP-158), so no list can
 * forget it. A token is valid only for the RPC, the caller and the filters that it was issued for. It shows nothing of its position, which
 * may be a row that the caller may not see: a list that is filtered after reading can end at one.
 *
 * A token is base64url of: a version byte, and the position, sealed with AES-256-GCM. RPC, caller and filters are authenticated too.
 * They are not in the token, so their length does not add to it.
 */
import type { Keys } from '../keys.ts';
import { SEAL_BYTES, seal, unseal } from '../sealing.ts';
import type { Caller } from './caller.ts';
import type { MethodDefinition } from './client.ts';
import { CallError } from './errors.ts';

/** Characters of the longest page token. It is part of a URL. */
export const MAX_PAGE_TOKEN_LENGTH = 2_048;

/** Version 1 was signed and not encrypted. */
const VERSION = 2;
const HEADER_BYTES = 1 + SEAL_BYTES;

/** Bytes of the longest position that fits in a token. */
export const MAX_POSITION_BYTES = (MAX_PAGE_TOKEN_LENGTH * 3) / 4 - HEADER_BYTES;

interface ListRequest {
  pageSize: number;
  pageToken: string;
}

type Handle<Request, Response> = (request: Request) => Promise<Response>;
type Paged = <Request, Response>(
  request: Request,
  caller: Caller | undefined,
  handle: Handle<Request, Response>,
) => Promise<Response>;

/**
 * Returns a function that calls a handler of `method`. If the method is a list, the handler gets the position of the request's token,
 * and its new position leaves as a token. Every other method, and every method without a key, is called as it is.
 */
export function withPageTokens(method: MethodDefinition, key: Keys | undefined): Paged {
  if (key === undefined || !isList(method)) return (request, _caller, handle) => handle(request);
  return async (request, caller, handle) => {
    const list = request as ListRequest;
    const scope = scopeOf(method, caller, list);
    const position = list.pageToken === '' ? '' : openToken(key, scope, list.pageToken);
    const response = await handle({ ...request, pageToken: position });
    const { nextPageToken } = response as { nextPageToken: string };
    return nextPageToken === ''
      ? response
      : { ...response, nextPageToken: sealToken(key, scope, nextPageToken) };
  };
}

function isList({ requestDeserialize, responseDeserialize }: MethodDefinition): boolean {
  const nothing = Buffer.alloc(0);
  return 'pageToken' in requestDeserialize(nothing) && 'nextPageToken' in responseDeserialize(nothing);
}

/**
 * Returns the RPC, the caller and the filters as one line. The caller's roles are part of it: they decide which rows a list has. The
 * filters are all fields of the request but page size and token, in the contract's own encoding.
 */
function scopeOf(method: MethodDefinition, caller: Caller | undefined, request: ListRequest): string {
  const filters = method.requestSerialize({ ...request, pageSize: 0, pageToken: '' });
  const { id, roles } = caller ?? { id: '', roles: [] };
  return JSON.stringify([method.path, id, roles.toSorted(), filters.toString('base64')]);
}

function sealToken(key: Keys, scope: string, position: string): string {
  const payload = Buffer.from(position);
  if (payload.length > MAX_POSITION_BYTES) throw new Error('The position of the next page is too long.');
  return Buffer.concat([Buffer.from([VERSION]), seal(payload, scope, key)]).toString('base64url');
}

function openToken(key: Keys, scope: string, token: string): string {
  const bytes = token.length <= MAX_PAGE_TOKEN_LENGTH ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
  // Node ignores characters outside the alphabet and spare bits at the end. Each token has one valid spelling.
  if (bytes.toString('base64url') !== token || bytes.length < HEADER_BYTES || bytes[0] !== VERSION) {
    throw invalidPageToken();
  }
  try {
    return unseal(bytes.subarray(1), scope, key).toString();
  } catch {
    throw invalidPageToken();
  }
}

/** The same error for an edited token, and for a token of another list, caller, filter or key: the cipher does not tell them apart. */
export function invalidPageToken(): CallError {
  return new CallError('INVALID_PAGE_TOKEN', 'The page token does not belong to this list.', {
    violations: [
      {
        field: 'page_token',
        description:
          'must be the next_page_token of an earlier response, sent by the same caller to the same list with the same filters',
      },
    ],
  });
}
