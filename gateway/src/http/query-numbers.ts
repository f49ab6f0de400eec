/** Query strings are text. Parameters that the schema calls integers become numbers here, and only plain decimal ones do. */
import type { FastifyInstance, RouteOptions } from 'fastify';

/** No sign, no leading zero, no exponent, no blank: "010", "1e2" and " 5" stay text, which the schema then refuses. */
const DECIMAL = /^(0|[1-9]\d{0,15})$/;

export function readQueryNumbers(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const names = integersOf(route);
    if (names.length === 0) return;
    route.preValidation = [
      (request, _reply, done) => {
        const values = request.query as Record<string, unknown>;
        for (const name of names) {
          const value = values[name];
          if (typeof value === 'string' && DECIMAL.test(value)) values[name] = Number(value);
        }
        done();
      },
    ];
  });
}

function integersOf(route: RouteOptions): string[] {
  const { properties = {} } = (route.schema?.querystring ?? {}) as {
    properties?: Record<string, { type?: unknown }>;
  };
  return Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
}
