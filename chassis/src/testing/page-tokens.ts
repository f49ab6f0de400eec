/** Attacks the page tokens of lists. Every service runs it against all of its lists. */
import assert from 'node:assert/strict';
import type { CallSettings, MethodDefinition, ServiceMethods } from '../rpc/client.ts';
import { NeighbourError } from '../rpc/errors.ts';
import { MAX_PAGE_TOKEN_LENGTH } from '../rpc/page-tokens.ts';
import { SEAL_BYTES } from '../sealing.ts';

interface PageRequest {
  pageSize: number;
  pageToken: string;
}

/** A list with two rows or more for this request and this caller. */
export interface AttackedList<Request extends PageRequest = PageRequest> {
  call(request: Request, settings: CallSettings): Promise<{ nextPageToken: string }>;
  filters: Omit<Request, 'pageSize' | 'pageToken'>;
  as: CallSettings;
  /** Callers who may call the list too. */
  otherCallers: readonly CallSettings[];
  /** Each of them replaces some filters. */
  otherFilters: readonly Partial<Omit<Request, 'pageSize' | 'pageToken'>>[];
}

export function attackedList<Request extends PageRequest>(list: AttackedList<Request>): AttackedList {
  return list as unknown as AttackedList;
}

/**
 * `lists` must have every list RPC of the contracts, by the name of the method. Throws an AssertionError if a list accepts a token
 * that was edited, or that belongs to another list, caller or filter, or if it refuses one with
 * another error.
 */
export async function expectTokensToBeBound(
  contracts: readonly ServiceMethods[],
  lists: Record<string, AttackedList>,
): Promise<void> {
  const methods = contracts
    .flatMap((contract) => Object.entries(contract))
    .filter(([, each]) => isList(each));
  assert.deepEqual(Object.keys(lists).sort(), methods.map(([name]) => name).sort());

  const tokens = new Map<string, string>();
  for (const [name, list] of Object.entries(lists)) tokens.set(name, await secondPageToken(name, list));
  for (const [name, list] of Object.entries(lists)) {
    const token = tokens.get(name) as string;
    const foreign = [...tokens].flatMap(([other, each]) => (other === name ? [] : each));
    for (const bad of [...editsOf(token), ...foreign]) {
      await expectRefused(list, { token: bad }, `${name}: ${bad} instead of ${token}`);
    }
    for (const as of list.otherCallers) await expectRefused(list, { token, as }, `${name}: another caller`);
    for (const filters of list.otherFilters) {
      await expectRefused(list, { token, filters }, `${name}: ${Object.keys(filters)} changed`);
    }
  }
}

function isList({ requestDeserialize }: MethodDefinition): boolean {
  return 'pageToken' in requestDeserialize(Buffer.alloc(0));
}

/** Returns the token of the second page, which must be readable with it. */
async function secondPageToken(name: string, list: AttackedList): Promise<string> {
  const { nextPageToken } = await page(list, { token: '' });
  assert.notEqual(nextPageToken, '', `${name} needs two rows`);
  assert(nextPageToken.length <= MAX_PAGE_TOKEN_LENGTH, `${name}: a token of ${nextPageToken.length}`);
  await page(list, { token: nextPageToken });
  return nextPageToken;
}

interface Change {
  token: string;
  as?: CallSettings;
  filters?: object;
}

function page(list: AttackedList, { token, as = list.as, filters = {} }: Change) {
  return list.call({ ...list.filters, ...filters, pageSize: 1, pageToken: token }, as);
}

async function expectRefused(list: AttackedList, change: Change, what: string): Promise<void> {
  const outcome = await page(list, change).then(
    () => 'accepted',
    (error: unknown) =>
      error instanceof NeighbourError ? [error.reason, error.violations[0]?.field] : error,
  );
  // The contract's limit of the field is checked first.
  const reason = change.token.length > MAX_PAGE_TOKEN_LENGTH ? 'INVALID_ARGUMENT' : 'INVALID_PAGE_TOKEN';
  assert.deepEqual(outcome, [reason, 'page_token'], what);
}

/** Every character replaced once, shorter and longer tokens, and texts that were never tokens. */
function editsOf(token: string): string[] {
  const replaced = [...token].map(
    (character, index) => `${token.slice(0, index)}${character === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`,
  );
  const bytes = Buffer.from(token, 'base64url');
  return [
    ...replaced,
    token.slice(0, -1),
    token.slice(4),
    `${token}A`,
    `${token}=`,
    `${token} `,
    'x',
    'A'.repeat(MAX_PAGE_TOKEN_LENGTH + 1),
    bytes.subarray(0, 1).toString('base64url'),
    bytes.subarray(0, 1 + SEAL_BYTES).toString('base64url'),
    // The position without its authentication.
    bytes.subarray(1 + SEAL_BYTES).toString('base64url'),
  ];
}
