/**
 * Serves /openapi.json, and /docs to read it. The gateway itself serves everything that the page needs: no CDN, no fonts, no
 * telemetry.
 */
import { createHash } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { DOCUMENT_MAX_AGE_S } from './caching.ts';
import { prepareDocument, type StaticDocument, sendDocument } from './static-document.ts';

const ANYONE = {
  config: { access: 'anyone', maxAgeS: DOCUMENT_MAX_AGE_S },
  schema: { hide: true } as object,
} as const;

export async function serveDocs(app: FastifyInstance): Promise<void> {
  let document: Promise<StaticDocument> | undefined;
  app.get('/openapi.json', ANYONE, async (request, reply) => {
    document ??= prepareDocument('application/json; charset=utf-8', JSON.stringify(app.swagger()));
    return sendDocument(request, reply, await document);
  });

  app.get('/docs', ANYONE, async (_request, reply) => reply.redirect(PAGE, 301));
  let reference: Promise<Reference> | undefined;
  for (const path of [PAGE, SCRIPT] as const) {
    app.get(path, ANYONE, async (request, reply) => {
      reference ??= loadReference();
      const { document, policy } = (await reference)[path];
      return sendDocument(request, reply.header('content-security-policy', policy), document);
    });
  }
}

const PAGE = '/docs/';
const SCRIPT = '/docs/js/scalar.js';

type Reference = Record<typeof PAGE | typeof SCRIPT, { document: StaticDocument; policy: string }>;

/**
 * Gets page and script from a server that never listens. They are loaded when a client first opens the page: the script takes
 * 20 MB, and payments do not need it.
 */
async function loadReference(): Promise<Reference> {
  const { default: apiReference } = await import('@scalar/fastify-api-reference');
  const server = Fastify();
  await server.register(apiReference, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'PayFlowX API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
  const load = async (path: string) => {
    const { headers, payload } = await server.inject(path);
    const type = String(headers['content-type']);
    const document = await prepareDocument(type, payload);
    return { document, policy: pagePolicy(type.startsWith('text/html') ? payload : '') };
  };
  const [page, script] = await Promise.all([load(PAGE), load(SCRIPT)]);
  await server.close();
  return { [PAGE]: page, [SCRIPT]: script };
}

const INLINE_SCRIPT = /<script type="text\/javascript">([\s\S]*?)<\/script>/g;

/**
 * Allows scripts from this server, and the page's own inline script by its hash. Styles are created at run time, so they may be
 * inline.
 */
function pagePolicy(page: string): string {
  const hashes = [...page.matchAll(INLINE_SCRIPT)].map(
    ([, code = '']) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    ['script-src', "'self'", ...hashes].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
