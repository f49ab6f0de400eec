/** Distinguishes a wrong method (405 with Allow) from a wrong path (404). */
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { ProblemError, type Refusals } from '../problems/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for routes that only refuse a method that their path does not support. */
    isRefusal?: boolean;
  }
}

interface KnownPath {
  pattern: RegExp;
  methods: Set<string>;
}

declare module 'fastify' {
  interface FastifyInstance {
    knownPaths: KnownPaths;
  }
}

export interface KnownPaths extends Refusals {
  /** Every path with its methods, hidden paths included. */
  all(): { url: string; methods: string[] }[];
  /** Paths such as /v1/payments/simulate that also match /v1/payments/:id, with the methods that only the latter has. */
  shadowed(): { url: string; methods: string[] }[];
}

/** Records routes as they are added. */
export function recordPaths(app: FastifyInstance): KnownPaths {
  const paths = new Map<string, KnownPath>();

  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.isRefusal) return;
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const name of [method].flat()) path.methods.add(name);
    paths.set(url, path);
  });

  const methodsAt = (path: string): string[] => {
    const own = paths.get(path);
    const matching = own ? [own] : [...paths.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
  };

  const knownPaths: KnownPaths = {
    all: () => [...paths].map(([url, { methods }]) => ({ url, methods: [...methods] })),

    refusalOf({ url }) {
      const path = url.split('?', 1)[0] ?? '';
      const allowed = methodsAt(path).join(', ');
      if (allowed === '') return new ProblemError('NOT_FOUND', `The path ${path} does not exist.`);
      return new ProblemError('METHOD_NOT_ALLOWED', `${path} supports ${allowed}.`, {
        headers: { allow: allowed },
      });
    },

    shadowed: () =>
      [...paths].map(([url, own]) => {
        const others = [...paths.values()].filter((other) => other !== own && other.pattern.test(url));
        const methods = others
          .flatMap((other) => [...other.methods])
          .filter((name) => !own.methods.has(name));
        return { url, methods: [...new Set(methods)] };
      }),
  };
  app.decorate('knownPaths', knownPaths);
  return knownPaths;
}

/** Refuses requests that match no route. Must be called after all routes are added. */
export function refuseUnknown(app: FastifyInstance, paths: KnownPaths): void {
  // The plugin of this limiter is registered by then.
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw paths.refusalOf(request);
  });
  for (const { url, methods } of paths.shadowed()) {
    // Fastify adds HEAD for every GET.
    const method = methods.filter((name) => name !== 'HEAD') as HTTPMethods[];
    if (method.length === 0) continue;
    app.route({
      method,
      url,
      config: { access: 'anyone', isRefusal: true },
      schema: { hide: true } as object,
      handler: (request) => {
        throw paths.refusalOf(request);
      },
    });
  }
}

/** `/v1/accounts/:id` → matches one path segment in place of `:id`. */
function patternOf(url: string): RegExp {
  const source = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
