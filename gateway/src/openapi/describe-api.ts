/** Builds the OpenAPI 3.1 document from the schemas that validate and serialize. Adds once the parts that all routes share. */
import swagger from '@fastify/swagger';
import type { Scope } from '@payflowx/chassis';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { query } from '../schemas/page.ts';
import { addHeaders, HEADER_COMPONENTS, withSharedRefusals } from './answers.ts';
import { type Document, operationsOf } from './document.ts';
import { addExamples } from './examples.ts';
import { addLinks } from './links.ts';

const TAGS = [
  { name: 'auth', description: 'Logins, and the keys that verify tokens.' },
  { name: 'api-clients', description: 'Machines that log in by themselves and act for a user.' },
  { name: 'users', description: 'The users that can log in.' },
  { name: 'accounts', description: 'The accounts that money moves between.' },
  { name: 'payments', description: 'Payments, deposits and withdrawals.' },
  { name: 'rules', description: 'Rules that decide on payments, besides balance and limits.' },
  { name: 'audit', description: 'Records of changes and of the users who made them.' },
  { name: 'ledger', description: 'The journal, and the proof that it is correct.' },
  { name: 'notifications', description: 'Notifications to payers and receivers.' },
  { name: 'analytics', description: 'Totals. They lag behind the payments by a moment.' },
  { name: 'health', description: 'Liveness and readiness probes.' },
];

export async function describeApi(app: FastifyInstance): Promise<void> {
  refuseUnknownQueries(app);
  /** Operations with an optional body. The plugin does not know about optional bodies. */
  const bodyOptional = new Set<unknown>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'PayFlowX',
        version: '1.0.0',
        description:
          'Moves money between accounts and can prove it. Amounts are integers of minor units. Unknown fields and query parameters are refused. Errors are problem details (RFC 9457). A response comes within 8 s, unless an operation says that it may take longer.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: {
        securitySchemes: { access_token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        headers: HEADER_COMPONENTS as never,
      },
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (schema) => String(schema.$id) },
    transform: ({ schema, url, route }) => {
      if (route.config?.optionalBody) bodyOptional.add((schema as { operationId?: string }).operationId);
      return { schema: described(schema ?? {}, route) as never, url };
    },
    transformObject: (input) => {
      const document = 'openapiObject' in input ? input.openapiObject : {};
      complete(document as unknown as Document, bodyOptional);
      return document;
    },
  });
}

/** A route without declared query parameters accepts none. */
function refuseUnknownQueries(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.schema && !('hide' in route.schema)) route.schema.querystring ??= query({});
  });
}

function described(schema: NonNullable<RouteOptions['schema']>, route: RouteOptions) {
  const access = route.config?.access ?? [];
  const { scope } = route.config ?? {};
  const roles = access === 'anyone' ? '' : `Roles: ${access.join(', ')}. ${scopeOf(scope)}`;
  const { deadlineMs } = route.config ?? {};
  const duration = deadlineMs === undefined ? '' : `May take up to ${deadlineMs / 1000} s.`;
  return {
    ...withSharedRefusals(schema, route),
    description: [schema.description, duration, roles].filter(Boolean).join(' '),
    security: access === 'anyone' ? [] : [{ access_token: scope ? [scope] : [] }],
  };
}

function scopeOf(scope: Scope | undefined): string {
  return scope ? `API clients need the scope \`${scope}\`.` : 'Closed to API clients.';
}

function complete(document: Document, bodyOptional: ReadonlySet<unknown>): void {
  for (const { operation } of operationsOf(document)) {
    if (operation.requestBody && bodyOptional.has(operation.operationId))
      operation.requestBody.required = false;
    for (const response of Object.values(operation.responses)) {
      if (response.description === 'Default Response') response.description = operation.summary ?? 'Done.';
    }
    addHeaders(operation);
  }
  addExamples(document);
  addLinks(document);
}
