/**
 * Serves the files of the console under /console. Files under assets/ have the hash of their content in their name, so a browser keeps
 * them. Any other path is a page of the application: it gets the one document, which is checked again each time.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problem.ts';
import { prepareDocument, type StaticDocument, sendDocument } from './static-document.ts';

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** No inline script or style, and no other host. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const YEAR_S = 31_536_000;
/** Gives the console a browsing context of its own, and no way to leave its address in other hosts' logs. */
const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
};

/** `folder` has the files that `make setup` built. Rejects if it has no index.html, or a file cannot be read. */
export async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  const page = await prepareDocument(TYPES['.html'] ?? '', await readFile(join(folder, 'index.html')));
  const assets = await loadAssets(join(folder, 'assets'));
  const sendPage = async (request: FastifyRequest, reply: FastifyReply) =>
    sendDocument(request, reply.headers({ ...HEADERS, 'cache-control': 'no-cache' }), page);

  app.get('/console', OPEN, sendPage);
  app.get('/console/*', OPEN, sendPage);
  app.get('/console/assets/:name', OPEN, async (request, reply) => {
    const { name } = request.params as { name: string };
    const asset = assets.get(name);
    if (!asset) throw new ProblemError('NOT_FOUND', 'The console has no such file.');
    const cached = { 'cache-control': `public, max-age=${YEAR_S}, immutable` };
    return sendDocument(request, reply.headers({ ...HEADERS, ...cached }), await asset());
  });
}

const OPEN = { config: { access: 'anyone' }, schema: { hide: true } as object } as const;

/** By name. A request causes no access to the disk, and nothing is kept of names that the build does not have. */
async function loadAssets(folder: string): Promise<Map<string, () => Promise<StaticDocument>>> {
  const names = (await readdir(folder)).filter((name) => extname(name) in TYPES);
  const assets = names.map(async (name) => {
    const bytes = await readFile(join(folder, name));
    return [name, whenAsked(() => prepareDocument(TYPES[extname(name)] ?? '', bytes))] as const;
  });
  return new Map(await Promise.all(assets));
}

/** All files take 150 ms of CPU to compress. A gateway that starts has other work. */
function whenAsked(prepare: () => Promise<StaticDocument>): () => Promise<StaticDocument> {
  let document: Promise<StaticDocument> | undefined;
  return () => {
    document ??= prepare();
    return document;
  };
}
