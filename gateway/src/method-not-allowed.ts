/** Tells a wrong method (405 with Allow) from a wrong path (404). */
import type { FastifyInstance } from 'fastify';
import { ProblemError } from './problem.ts';

export function refuseUnknown(app: FastifyInstance): void {
  const methods = new Map<string, { pattern: RegExp; allowed: Set<string> }>();

  app.addHook('onRoute', ({ method, url }) => {
    const entry = methods.get(url) ?? { pattern: patternOf(url), allowed: new Set<string>() };
    for (const name of [method].flat()) entry.allowed.add(name);
    methods.set(url, entry);
  });

  const allowedAt = (path: string) => {
    const matching = [...methods.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ allowed }) => [...allowed]))].sort();
  };

  // Within a plugin's ready time, because the limiter that guards it is registered by then.
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = allowedAt(path);
    if (allowed.length === 0) throw new ProblemError('NOT_FOUND', `There is nothing at ${path}.`);
    throw new ProblemError('METHOD_NOT_ALLOWED', `${path} knows ${allowed.join(', ')}.`, {
      headers: { allow: allowed.join(', ') },
    });
  });
}

/** `/v1/accounts/:id` → matches one path segment in place of `:id`. */
function patternOf(url: string): RegExp {
  const source = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
