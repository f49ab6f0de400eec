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
  {
    name: 'mandates',
    description: 'A payer lets one payee collect: within limits, until a date, revocable at once.',
  },
  { name: 'rules', description: 'Rules that decide on payments, besides balance and limits.' },
  { name: 'audit', description: 'Records of changes and of the users who made them.' },
  { name: 'ledger', description: 'The journal, and the proof that it is correct.' },
  { name: 'notifications', description: 'Notifications to payers and receivers.' },
  { name: 'mails', description: 'Mails to users, and the addresses that get none.' },
  { name: 'events', description: 'Every step of a payment, as its sides may see it.' },
  { name: 'webhooks', description: 'Events sent to your own address, as Standard Webhooks.' },
  { name: 'analytics', description: 'Totals. They lag behind the payments by a moment.' },
  {
    name: 'operations',
    description: 'For operators: messages that were given up, running instances, and search.',
  },
  { name: 'sandbox', description: 'For your tests, only where the sandbox is on: the test clock.' },
  { name: 'health', description: 'Liveness and readiness probes.' },
];

const SCOPE_TEXTS: Record<Scope, string> = {
  'accounts:read': 'Read accounts.',
  'accounts:write': 'Create and change accounts.',
  'payments:read': 'Read payments and their events.',
  'payments:write': 'Make, capture, cancel and refund payments.',
  'mandates:read': 'Read mandates.',
  'mandates:write': 'Make and revoke mandates.',
  'deposits:write': 'Make deposits.',
  'withdrawals:write': 'Make withdrawals.',
  'rules:read': 'Read rules.',
  'rules:write': 'Create and change rules.',
  'ledger:read': 'Read the journal, receipts and the proof.',
  'notifications:read': 'Read notifications and webhook endpoints.',
  'analytics:read': 'Read totals.',
  'audit:read': 'Read the audit log.',
};

const OAUTH2 = {
  type: 'oauth2',
  description: 'API clients. A scope gives no right that the user of the client does not have.',
  flows: { clientCredentials: { tokenUrl: '/v1/auth/token', scopes: SCOPE_TEXTS } },
} as const;

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
        securitySchemes: {
          access_token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          oauth2: OAUTH2,
        },
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
    security: access === 'anyone' ? [] : [{ access_token: scope ? [scope] : [] }, ...machinesWith(scope)],
  };
}

/** API clients, as tools for OAuth 2.0 expect them. The access token is the same kind of token. */
function machinesWith(scope: Scope | undefined) {
  return scope ? [{ oauth2: [scope] }] : [];
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
    for (const parameter of operation.parameters ?? []) {
      // query-objects.ts reads these.
      if (parameter.in === 'query' && parameter.schema?.type === 'object')
        Object.assign(parameter, { style: 'deepObject', explode: true });
    }
    addHeaders(operation);
  }
  addExamples(document);
  addLinks(document);
}
