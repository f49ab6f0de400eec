/** /openapi.json, and /docs to read it in. Everything the page needs is served from here: no CDN, no fonts, no telemetry. */
import { createHash } from 'node:crypto';
import apiReference from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';

export async function serveDocs(app: FastifyInstance): Promise<void> {
  let document: string | undefined;
  app.get(
    '/openapi.json',
    { config: { access: 'anyone' }, schema: { hide: true } as object },
    async (_request, reply) => {
      document ??= JSON.stringify(app.swagger());
      return reply.type('application/json').send(document);
    },
  );

  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'anyone' };
    });
    scope.addHook('onSend', async (_request, reply, payload) => {
      reply.header('content-security-policy', pagePolicy(payload));
      return payload;
    });
    await scope.register(apiReference, {
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
  });
}

const INLINE_SCRIPT = /<script type="text\/javascript">([\s\S]*?)<\/script>/g;

/** Scripts from here and the page's own inline one, by its hash; styles are made at run time, so they may be inline. */
function pagePolicy(page: unknown): string {
  const scripts =
    typeof page === 'string' && page.startsWith('<!doctype') ? [...page.matchAll(INLINE_SCRIPT)] : [];
  const hashes = scripts.map(
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
