/** Notes of a requester for its own systems: a reference and metadata. No other user sees them. */
import { Type } from 'typebox';
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
    'Only payments with all of these pairs in their metadata: `metadata[order]=4711`. The receiver cannot find payments by the payer’s metadata.',
});

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
