/** Query strings are text. This converts parameters that the schema declares as integers, if they are plain decimal numbers. */
import type { FastifyInstance, RouteOptions } from 'fastify';

/** No sign, leading zero, exponent or blank: "010", "1e2" and " 5" stay text, and the schema refuses them. */
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
