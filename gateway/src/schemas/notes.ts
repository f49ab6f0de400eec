/** Notes of a requester for its own systems: a reference and metadata. No other user sees them. */
import { type Static, Type } from 'typebox';
import { named } from './named.ts';
import { NO_NUL } from './no-nul.ts';
import { nullableText, text, texts } from './text.ts';

export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: 20,
  propertyNames: { minLength: 1, maxLength: 40, pattern: '^[^\\u0000]*$' },
  additionalProperties: text(500, 'Any text.', '4711'),
  description: 'Up to 20 names and values for the requester’s own use.',
  examples: [{ order: '4711' }],
});

/** The filter `metadata[key]=value` of a list, as http/query-objects.ts reads it. */
export const MetadataFilter = Type.Unsafe<Record<string, string>>({
  ...Metadata,
  description:
    'Only payments with all of these pairs in their metadata: `metadata[order]=4711`. Each side finds payments by its own metadata only, operators and auditors by that of either side.',
});

/** Changes of metadata. */
export const MetadataChanges = Type.Unsafe<Record<string, string | null>>({
  type: 'object',
  maxProperties: 20,
  propertyNames: { minLength: 1, maxLength: 40, pattern: NO_NUL },
  additionalProperties: { type: ['string', 'null'], maxLength: 500, pattern: NO_NUL },
  description:
    'New values by name. Null removes a name; others keep their value. At most 20 names, the kept ones counted.',
});

/** A text that null removes. */
export const removableText = (maxLength: number, description: string, example: string) =>
  Type.Unsafe<string | null>({ ...text(maxLength, description, example), type: ['string', 'null'] });

export const NoteChanges = named(
  'PaymentNoteChanges',
  Type.Object(
    {
      reference: Type.Optional(removableText(100, 'Your reference. Null removes it.', 'invoice-2026-17')),
      metadata: Type.Optional(MetadataChanges),
    },
    {
      additionalProperties: false,
      minProperties: 1,
      examples: [{ reference: 'invoice-2026-17', metadata: { booked: 'yes', draft: null } }],
    },
  ),
);

export const noteSchemas = [NoteChanges];

/** The changes as the RPC takes them: it has no null. */
export function notesChange({ reference, metadata }: Static<typeof NoteChanges>) {
  return { reference: emptyIfNull(reference), ...metadataChange(metadata) };
}

/** Null removes a text, and the RPC has no null. */
export const emptyIfNull = (value: string | null | undefined) => (value === null ? '' : value);

/** The changes of metadata as an RPC takes them. */
export function metadataChange(metadata: Record<string, string | null> = {}) {
  const isRemoved = ([, value]: [string, string | null]) => value === null;
  const pairs = Object.entries(metadata);
  return {
    metadata: Object.fromEntries(pairs.filter((pair) => !isRemoved(pair))) as Record<string, string>,
    removedMetadata: pairs.filter(isRemoved).map(([name]) => name),
  };
}

/** The notes in a request for a capture or a refund. */
export const notesInput = {
  reference: Type.Optional(text(100, 'A reference for the requester’s systems.', 'parcel-1')),
  metadata: Type.Optional(Metadata),
};

/** The notes of a capture or a refund, in responses. */
export const notes = {
  reference: nullableText('The requester’s reference for its own systems. Other users get null.'),
  metadata: texts('The requester’s metadata. Other users get an empty object.'),
};

/** The notes as an RPC takes them. */
export const notesRequest = ({
  reference = '',
  metadata = {},
}: {
  reference?: string;
  metadata?: Record<string, string>;
}) => ({ reference, metadata });
