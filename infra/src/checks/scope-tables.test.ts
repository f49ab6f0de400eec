import { describe, expect, it } from 'vitest';
import { type Document, operationsTable, rpcsTable, scopesTable, withTable } from './scope-tables.ts';

const needs = (scope: string) => ({
  summary: 'Do it',
  description: 'For all. Roles: customer, operator. API clients need the scope.',
  security: [{ access_token: [scope] }, { oauth2: [scope] }] as Record<string, string[]>[],
});

const document: Document = {
  paths: {
    '/v1/payments': { post: needs('payments:write'), get: needs('payments:read') },
    '/v1/users': { get: { summary: 'List', security: [{ access_token: [] }] } },
    '/healthz': { get: { summary: 'Live' } },
  },
  components: {
    securitySchemes: {
      oauth2: {
        flows: { clientCredentials: { scopes: { 'payments:read': 'Read.', 'payments:write': 'Write.' } } },
      },
    },
  },
};

describe('the tables of scopes', () => {
  it('lists every scope with its text', () => {
    expect(scopesTable(document)).toBe(
      '| scope | gives access to |\n| --- | --- |\n| `payments:read` | Read. |\n| `payments:write` | Write. |',
    );
  });

  it('lists the operations that API clients may call, by scope', () => {
    expect(operationsTable(document).split('\n').slice(2)).toEqual([
      '| `payments:read` | `GET /v1/payments` | customer, operator |',
      '| `payments:write` | `POST /v1/payments` | customer, operator |',
    ]);
  });

  it('refuses an operation with a scope that the document does not list', () => {
    const paths = { '/v1/x': { get: needs('x:read') } };
    expect(() => operationsTable({ ...document, paths })).toThrow('GET /v1/x has the scope x:read');
  });

  it('lists RPCs by scope and name', () => {
    const rpcs = [
      { name: 'PaymentService/ListPayments', scope: 'payments:read', roles: ['customer'] },
      { name: 'PaymentService/GetPayment', scope: 'payments:read', roles: ['customer', 'auditor'] },
    ];
    expect(rpcsTable(rpcs).split('\n').slice(2)).toEqual([
      '| `payments:read` | `PaymentService/GetPayment` | customer, auditor |',
      '| `payments:read` | `PaymentService/ListPayments` | customer |',
    ]);
  });
});

it('a table replaces the one behind its name, and nothing else', () => {
  const page = 'a\n<!-- table: x -->\n| old |\n| --- |\n\nb\n';
  expect(withTable(page, 'x', '| new |')).toBe('a\n<!-- table: x -->\n| new |\n\nb\n');
  expect(() => withTable(page, 'y', '')).toThrow('<!-- table: y -->');
});
