/**
 * Adds examples to the document. A schema without its own example gets one built from its parts. A test validates each example
 * against its schema.
 */
import { mayPassLater } from '@payflowx/proto/declines';
import { PROBLEM_TYPE, ProblemError, problemBody } from '../problems/problem.ts';
import { PROBLEMS, type ProblemCode } from '../problems/problem-codes.ts';
import { type Document, type Media, operationsOf, type Schema } from './document.ts';

export function addExamples(document: Document): void {
  const { schemas } = document.components;
  document.components.examples = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const isDeclined = name.startsWith('Declined');
    schema.examples = [
      isDeclined ? problemExample('INSUFFICIENT_BALANCE', name, schemas) : exampleOf(schema, schemas),
    ];
  }
  for (const { operation } of operationsOf(document)) {
    const answers = Object.values(operation.responses).flatMap(({ content = {} }) => Object.entries(content));
    for (const [type, media] of [...Object.entries(operation.requestBody?.content ?? {}), ...answers]) {
      if (type === PROBLEM_TYPE) media.examples = problemExamples(media, document);
      else if (media.schema) media.example = exampleOf(media.schema, schemas);
    }
  }
}

/** Returns references: examples of one problem differ only in `instance`. */
function problemExamples(media: Media, { components }: Document): Record<string, { $ref: string }> {
  const { codes = [] } = media;
  delete media.codes;
  const kind = nameOf(media.schema?.$ref ?? '');
  return Object.fromEntries(
    codes.map((code) => {
      const name = kind === 'Problem' ? code : `${kind}.${code}`;
      components.examples[name] ??= {
        summary: titleOf(code),
        value: problemExample(code, kind, components.schemas),
      };
      return [code, { $ref: `#/components/examples/${name}` }];
    }),
  );
}

const AT = '2026-01-31T12:00:00.000Z';

function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  if (schema.$ref) return exampleOf(schemas[nameOf(schema.$ref)] as Schema, schemas);
  if (schema.examples?.length) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if ([schema.type].flat().includes('null')) return null;
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case 'object': {
      const members = Object.entries(schema.properties ?? {});
      return Object.fromEntries(members.map(([name, member]) => [name, exampleOf(member, schemas)]));
    }
    case 'array':
      return schema.items ? [exampleOf(schema.items, schemas)] : [];
    case 'boolean':
      return schema.default ?? true;
    case 'integer':
      return schema.default ?? schema.minimum ?? 1;
    case 'string':
      return textExample(schema);
    default:
      throw new Error(`Cannot build an example for ${JSON.stringify(schema)}.`);
  }
}

function textExample({ format }: Schema): string {
  if (format === 'date-time') return AT;
  return format === 'date' ? AT.slice(0, 10) : 'text';
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}

function titleOf(code: string): string {
  return (PROBLEMS[code as ProblemCode] ?? PROBLEMS.PAYMENT_DECLINED).title;
}

/** Members of the problem that belong to certain codes. */
const MEMBERS: Partial<Record<string, object>> = {
  INVALID_STATE: { state: 'CANCELLED', allowed_actions: [] },
  SECOND_FACTOR_REQUIRED: { challenge: 'bm90IGEgY2hhbGxlbmdl', methods: ['totp', 'recovery_code'] },
  ACTION_NOT_ALLOWED: { allowed: 'payee' },
  CAPTURE_EXCEEDS_AUTHORIZED: { available: 250 },
  REFUND_EXCEEDS_CAPTURED: { available: 250 },
  VERSION_MISMATCH: { version: 3 },
  ACCOUNT_NOT_EMPTY: { balance: { posted: 1250, held: 0 } },
  NOT_READY: { not_serving: ['ledger'] },
  INVALID_REQUEST: { errors: [{ pointer: '/unknown', detail: 'is not a known name', in: 'query' }] },
  DAILY_LIMIT_EXCEEDED: { limit: 10_000, used: 9_500, resets_at: '2026-02-01T00:00:00.000Z' },
};

const REQUEST_ID = 'req_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d';

function problemExample(code: string, kind: string, schemas: Record<string, Schema>) {
  const own = code in PROBLEMS ? (code as ProblemCode) : 'INTERNAL';
  const { problem, members } = declinedExample(code, kind, schemas) ?? { problem: own, members: {} };
  const error = new ProblemError(problem, `${titleOf(code)}.`, {
    code,
    members: { ...MEMBERS[code], ...members },
  });
  const body = problemBody(error, '/v1/payments', REQUEST_ID);
  return { ...body, ...('error_id' in body && { error_id: REQUEST_ID.replace('req', 'err') }) };
}

/** The body of a 402 contains the declined payment or refund. */
function declinedExample(code: string, kind: string, schemas: Record<string, Schema>) {
  const failed = (name: string, changes: object) => ({
    ...(exampleOf({ $ref: name }, schemas) as object),
    ...changes,
    state: 'FAILED',
    failure: { code, message: `${titleOf(code)}.`, retryable: mayPassLater(code) },
  });
  if (kind === 'DeclinedProblem') {
    const payment = failed('Payment', { amount_captured: 0, amount_refunded: 0, decision: null });
    return { problem: 'PAYMENT_DECLINED', members: { payment } } as const;
  }
  if (kind === 'DeclinedRefundProblem') {
    return { problem: 'REFUND_DECLINED', members: { refund: failed('Refund', {}) } } as const;
  }
  return undefined;
}
