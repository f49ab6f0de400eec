/**
 * Serves /openapi.json, and /docs to read it. The gateway itself serves everything that the page needs: no CDN, no fonts, no
 * telemetry.
 */
import { createHash } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { DOCUMENT_MAX_AGE_S } from './caching.ts';

const ANYONE = {
  config: { access: 'anyone', maxAgeS: DOCUMENT_MAX_AGE_S },
  schema: { hide: true } as object,
} as const;

export async function serveDocs(app: FastifyInstance): Promise<void> {
  let document: string | undefined;
  app.get('/openapi.json', ANYONE, async (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type('application/json').send(document);
  });

  let reference: Promise<FastifyInstance> | undefined;
  for (const path of ['/docs', '/docs/*']) {
    app.get(path, ANYONE, async ({ method, url }, reply) => {
      reference ??= openReference();
      const answer = await (await reference).inject({ method: method as 'GET', url });
      if (answer.statusCode === 404) return reply.callNotFound();
      const isPage = String(answer.headers['content-type']).startsWith('text/html');
      return reply
        .code(answer.statusCode)
        .headers(answer.headers)
        .header('content-security-policy', pagePolicy(isPage ? answer.payload : ''))
        .send(answer.rawPayload.length > 0 ? answer.rawPayload : undefined);
    });
  }
}

/**
 * Creates a server that never listens. It is created when a client first opens the page: the page's script takes 20 MB, and
 * payments do not need it.
 */
async function openReference(): Promise<FastifyInstance> {
  const { default: apiReference } = await import('@scalar/fastify-api-reference');
  const reference = Fastify();
  await reference.register(apiReference, {
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
  return reference;
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
