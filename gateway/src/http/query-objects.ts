/**
 * Reads query parameters that the schema declares as objects, in the form `name[key]=value` (OpenAPI's style `deepObject`). The schema
 * checks the result: a key that is given twice has an array as its value, and is refused.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import { ProblemError } from '../problems/problem.ts';

const MEMBER = /^([a-z_]+)\[([^\]]+)\]$/;

export function readQueryObjects(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const names = objectsOf(route);
    if (names.size === 0) return;
    const others = [route.preValidation ?? []].flat();
    route.preValidation = [
      (request, _reply, done) => {
        const values = request.query as Record<string, unknown>;
        for (const [parameter, value] of Object.entries(values)) {
          const [, name = '', key = ''] = MEMBER.exec(parameter) ?? [];
          if (!names.has(name)) continue;
          delete values[parameter];
          // To assign it would set the prototype, and the filter would be lost.
          if (key === '__proto__') throw forbiddenKey(parameter);
          const members = values[name];
          // A plain `name=value` beside it stays a text, which the schema refuses.
          if (members === undefined) values[name] = Object.assign(Object.create(null), { [key]: value });
          else if (typeof members === 'object') Object.assign(members as object, { [key]: value });
        }
        done();
      },
      ...others,
    ];
  });
}

function objectsOf(route: RouteOptions): ReadonlySet<string> {
  const { properties = {} } = (route.schema?.querystring ?? {}) as {
    properties?: Record<string, { type?: unknown }>;
  };
  return new Set(Object.keys(properties).filter((name) => properties[name]?.type === 'object'));
}

function forbiddenKey(parameter: string): ProblemError {
  const detail = 'has a key that is not allowed';
  return new ProblemError('INVALID_REQUEST', `${parameter} ${detail}.`, {
    errors: [{ pointer: `/${parameter}`, detail, in: 'query' }],
  });
}
