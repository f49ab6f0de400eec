/** Translates validation errors to the names of the REST API: those of Ajv, and the violations that another service reports. */
import type { Violation } from '@payflowx/chassis';
import type { FastifySchemaValidationError } from 'fastify';
import { wordsFor } from '../schemas/expected-words.ts';
import type { ProblemCode } from './problem-codes.ts';

export interface FieldError {
  /** JSON pointer (RFC 6901). */
  pointer: string;
  detail: string;
  in: 'body' | 'query' | 'header' | 'path';
}

type Context = 'body' | 'querystring' | 'headers' | 'params';
export type ValidationError = { validation?: FastifySchemaValidationError[]; validationContext?: Context };

/** More would not help clients. With the body limit alone, there could be thousands. */
const MAX_ERRORS = 20;
/** The values of a longer enum are not listed in the message. */
const MAX_VALUES = 20;

export interface Invalid {
  problem: ProblemCode;
  detail: string;
  errors: FieldError[];
}

/** Translates a validation error of Fastify. */
export function missingOrInvalid(error: ValidationError): Invalid {
  const { validation = [], validationContext = 'body' } = error;
  const place = PLACES[validationContext];
  const findings = validation.filter(({ keyword }) => keyword !== 'if');
  const errors = withoutRepeats(findings.map((finding) => fieldError(finding, place)));
  if (place === 'header') return invalidHeader(validation, errors);
  return { problem: 'INVALID_REQUEST', detail: sentence(errors), errors: errors.slice(0, MAX_ERRORS) };
}

/** A text may break a pattern and a format for the same reason. */
function withoutRepeats(errors: FieldError[]): FieldError[] {
  const seen = new Set<string>();
  return errors.filter(({ pointer, detail }) => {
    const key = `${pointer} ${detail}`;
    return !seen.has(key) && seen.add(key);
  });
}

const PLACES = { body: 'body', querystring: 'query', headers: 'header', params: 'path' } as const;

/** Only Idempotency-Key and If-Match have a schema, and no route has both. */
function invalidHeader(validation: FastifySchemaValidationError[], errors: FieldError[]): Invalid {
  const missing = validation.find(({ keyword }) => keyword === 'required')?.params.missingProperty;
  const isVersion = missing === 'if-match' || errors.some(({ pointer }) => pointer === '/if-match');
  if (isVersion) {
    return missing
      ? {
          problem: 'PRECONDITION_REQUIRED',
          detail: 'Send the ETag of the version that you read, in If-Match.',
          errors: [],
        }
      : { problem: 'INVALID_REQUEST', detail: 'If-Match must be an ETag of this API: "1".', errors };
  }
  if (missing) {
    const detail = 'This request moves money: send an Idempotency-Key, so that it can be retried safely.';
    return { problem: 'IDEMPOTENCY_KEY_REQUIRED', detail, errors: [] };
  }
  const detail = 'Idempotency-Key must be 1 to 255 visible ASCII characters.';
  return { problem: 'IDEMPOTENCY_KEY_INVALID', detail, errors };
}

function fieldError(finding: FastifySchemaValidationError, place: FieldError['in']): FieldError {
  const { keyword, instancePath, params, message = 'is not valid' } = finding;
  if (keyword === 'required') {
    const detail = isOnlyManual(finding) ? ONLY_MANUAL : 'is required';
    return { pointer: child(instancePath, params.missingProperty), detail, in: place };
  }
  if (keyword === 'additionalProperties') {
    return {
      pointer: child(instancePath, params.additionalProperty),
      detail: 'is not a known name',
      in: place,
    };
  }
  return { pointer: instancePath, detail: detailOf(finding, message), in: place };
}

function child(pointer: string, name: unknown): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The schema that the value does not match. Ajv adds it in verbose mode. */
type Finding = FastifySchemaValidationError & {
  parentSchema?: { $id?: string; pattern?: string; examples?: unknown[] };
};

/** The condition of NewPayment. */
const ONLY_MANUAL =
  'must be manual: hold_seconds and capture_by: payee are possible only with capture: manual';

function isOnlyManual({ schemaPath }: Finding): boolean {
  return /\/then\/(required|properties\/capture\/const)$/.test(schemaPath);
}

function detailOf(finding: Finding, message: string): string {
  const { keyword, params, parentSchema } = finding;
  const [example] = parentSchema?.examples ?? [];
  switch (keyword) {
    case 'const':
      return isOnlyManual(finding) ? ONLY_MANUAL : `must be ${params.allowedValue}`;
    case 'enum': {
      const values = params.allowedValues as unknown[];
      if (parentSchema?.$id === 'Currency') return `must be a currency in capitals, such as ${example}`;
      if (values.length <= MAX_VALUES) return `must be one of ${values.join(', ')}`;
      return example === undefined
        ? 'is not one of the known values'
        : `is not one of the known values, such as ${example}`;
    }
    case 'pattern':
    case 'format':
      return formOf(String(parentSchema?.pattern ?? ''), example) ?? message;
    default:
      return message;
  }
}

/** Returns the expected form in words. `pattern` is that of the schema, also if its format failed. */
function formOf(pattern: string, example: unknown): string | undefined {
  const words = wordsFor(pattern);
  if (words !== undefined || typeof example !== 'string') return words;
  return `does not have the form of ${example}`;
}

/** Says what is wrong with the first field, and how many others there are. The names are those of the REST API. */
export function sentence([first, ...others]: FieldError[]): string {
  if (!first) return 'The request is not valid.';
  const place = first.pointer === '' ? `The ${first.in}` : first.pointer.slice(1);
  const more = others.length === 0 ? '' : ` … and ${others.length} more.`;
  return `${place} ${first.detail}.${more}`;
}

/** Translates the violations of another service to the names of the REST API. */
export function invalidFields(
  { violations }: { violations: readonly Violation[] },
  place: FieldError['in'],
): FieldError[] {
  return violations.slice(0, MAX_ERRORS).map(({ field, description }) => {
    const known = REST_NAMES[field];
    return known
      ? { ...known, detail: description }
      : { pointer: pointerOf(field), detail: description, in: place };
  });
}

/** Fields with another name in REST, or in another place than the body. */
const REST_NAMES: Record<string, Omit<FieldError, 'detail'>> = {
  page_token: { pointer: '/cursor', in: 'query' },
  page_size: { pointer: '/limit', in: 'query' },
  expected_version: { pointer: '/if-match', in: 'header' },
  capture_mode: { pointer: '/capture', in: 'body' },
  public_jwk: { pointer: '/jwk', in: 'body' },
  passkey_json: { pointer: '/passkey', in: 'body' },
  removed_metadata: { pointer: '/metadata', in: 'body' },
  states: { pointer: '/state', in: 'query' },
  types: { pointer: '/type', in: 'query' },
  request_id: { pointer: '/idempotency-key', in: 'header' },
};

/** Messages of the contracts whose fields are the body itself in REST. */
const BODIES = /^(payment|preferences)\./;

/** `limits.daily_minor` → `/limits/daily` */
function pointerOf(field: string): string {
  return `/${field
    .replace(BODIES, '')
    .replace(/_minor$/, '')
    .replaceAll('.', '/')}`;
}
