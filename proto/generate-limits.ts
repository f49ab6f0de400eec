/**
 * Writes gen/limits.ts: the limits of all request fields, from the options in the contracts (payflowx/limits/v1/limits.proto). Fails
 * for a request field without its limits, so that no field can be forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import {
  createFileRegistry,
  type DescExtension,
  type DescField,
  type DescMessage,
  fromBinary,
  getOption,
  hasOption,
  ScalarType,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { FieldLimits, MessageLimits } from './src/limits.ts';

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync('gen/descriptors.binpb')),
);
const option = (name: string) => registry.getExtension(`payflowx.limits.v1.${name}`) as DescExtension;
const MAX_LENGTH = option('max_length');
const MAX_ITEMS = option('max_items');
const MAX_KEY_LENGTH = option('max_key_length');
const EACH_ALONE = option('each_alone');

/** A character of UTF-8 in bytes. */
const WIDEST_CHARACTER = 4;
/** A field's tag and length, or its tag and a number. */
const OVERHEAD = 16;
/** Bounded by its type. */
const TIMESTAMP = 'google.protobuf.Timestamp';

const messages: Record<string, MessageLimits> = {};

function limitsOfMessage(message: DescMessage): MessageLimits {
  const known = messages[message.typeName];
  if (known) return known;
  const fields = message.fields.flatMap((field) => limitsOfField(field) ?? []);
  const limits = { fields, maxBytes: message.fields.map(maxBytesOf).reduce((sum, bytes) => sum + bytes, 0) };
  messages[message.typeName] = limits;
  return limits;
}

/** Returns undefined for a field that is bounded by its type. */
function limitsOfField(field: DescField): FieldLimits | undefined {
  const limits: FieldLimits = { key: field.localName, name: field.name };
  if (field.fieldKind !== 'scalar' && field.fieldKind !== 'message' && field.fieldKind !== 'enum') {
    limits.maxItems = numberOf(field, MAX_ITEMS);
  }
  if (field.fieldKind === 'map') limits.maxKeyLength = numberOf(field, MAX_KEY_LENGTH);
  if (isText(field)) limits.maxLength = numberOf(field, MAX_LENGTH);
  if (field.message && field.message.typeName !== TIMESTAMP) {
    limitsOfMessage(field.message);
    limits.message = field.message.typeName;
    if (hasOption(field, EACH_ALONE)) limits.eachAlone = true;
  }
  return Object.keys(limits).length > 2 ? limits : undefined;
}

function numberOf(field: DescField, limit: DescExtension): number {
  if (!hasOption(field, limit))
    throw new Error(`${field.parent.typeName}.${field.name} has no ${limit.name}.`);
  return getOption(field, limit) as number;
}

function isText({ scalar }: DescField): boolean {
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
}

/** The most bytes that a field within its limits can have. */
function maxBytesOf(field: DescField): number {
  const { maxItems = 1, maxLength = 0, maxKeyLength = 0 } = limitsOfField(field) ?? {};
  const content =
    field.message && field.message.typeName !== TIMESTAMP ? limitsOfMessage(field.message).maxBytes : 0;
  return maxItems * (OVERHEAD + WIDEST_CHARACTER * (maxLength + maxKeyLength) + content);
}

const requests: Record<string, string> = {};
for (const type of registry) {
  if (type.kind !== 'service') continue;
  for (const { name, input } of type.methods) {
    limitsOfMessage(input);
    requests[`/${type.typeName}/${name}`] = input.typeName;
  }
}

writeFileSync(
  'gen/limits.ts',
  `export const MESSAGES = ${JSON.stringify(messages, null, 2)} as const;\n` +
    `export const REQUESTS: Record<string, keyof typeof MESSAGES> = ${JSON.stringify(requests, null, 2)};\n`,
);
