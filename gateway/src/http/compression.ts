/**
 * Compresses the JSON of reads by gzip or brotli. Only routes with GET have the hook, so a payment pays nothing for it: its response is
 * below the threshold anyway. Streams of events are not compressed, because a compressor holds events back.
 *
 * BREACH: the length of a compressed response tells something about a secret if an attacker can put a text of its own beside it. Secrets
 * (tokens, recovery codes, secrets of API clients and webhooks) are only in responses to POST, PUT and PATCH, which are never compressed.
 */
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import type { FastifyInstance } from 'fastify';

/** Below it, compression costs more than the bytes it saves. */
export const COMPRESSED_FROM_BYTES = 1_024;

/** Brotli's default is its slowest level. This one is about as fast as gzip, and still smaller. */
const BROTLI_QUALITY = 4;

/** Must be called before the routes are added. Documents, and pages of the console, are compressed once, at their first request. */
export async function compressReads(app: FastifyInstance): Promise<void> {
  // This hook comes first: the plugin reads the option in a hook of its own.
  app.addHook('onRoute', (route) => {
    const isRead = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD');
    const isOfApi = route.schema !== undefined && !('hide' in route.schema);
    if (isRead && isOfApi) route.compress = OPTIONS;
  });
  await app.register(compress, { global: false, globalDecompression: false, ...OPTIONS });
}

const OPTIONS = {
  threshold: COMPRESSED_FROM_BYTES,
  encodings: ['br', 'gzip', 'identity'],
  customTypes: /^application\/(?:problem\+)?json/,
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
} satisfies Parameters<typeof compress>[1];
