/** The JSON of passkeys (WebAuthn Level 3). The browser reads the options and writes the responses; auth checks them. */
import { Type } from 'typebox';
import { named } from './named.ts';

type Json = Record<string, unknown>;

const ID = 'Y3JlZGVudGlhbC1vZi1hLWxhcHRvcA';
const CHALLENGE = 'vTq0u2M1hHq0l1m3c7Wv5yJx9dK2sP8aQnR4tE6gZbI';
const DESCRIPTOR = { id: ID, type: 'public-key', transports: ['internal', 'hybrid'] };

/** Members that clients need not read, and that browsers may add, are not listed. */
const json = (description: string, properties: Json, more: Json) =>
  Type.Unsafe<Json>({ type: 'object', additionalProperties: true, properties, description, ...more });

const text = { type: 'string' };

export const PasskeyCreationOptions = named(
  'PasskeyCreationOptions',
  json(
    'For `PublicKeyCredential.parseCreationOptionsFromJSON` of the browser.',
    { challenge: text },
    {
      examples: [
        {
          challenge: CHALLENGE,
          rp: { id: 'pay.example', name: 'PayFlowX' },
          user: { id: 'dXNyXzAxOThjNWIy', name: 'alice', displayName: 'alice' },
          pubKeyCredParams: [{ alg: -7, type: 'public-key' }],
          timeout: 300_000,
          attestation: 'none',
          excludeCredentials: [],
          authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
        },
      ],
    },
  ),
);

export const PasskeyRequestOptions = named(
  'PasskeyRequestOptions',
  json(
    'For `PublicKeyCredential.parseRequestOptionsFromJSON` of the browser.',
    { challenge: text, rpId: text },
    {
      examples: [
        {
          challenge: CHALLENGE,
          rpId: 'pay.example',
          allowCredentials: [DESCRIPTOR],
          timeout: 300_000,
          userVerification: 'preferred',
        },
      ],
    },
  ),
);

const base64url = { type: 'string', minLength: 1, maxLength: 4_096, pattern: '^[A-Za-z0-9_-]+$' };
const optionalBase64url = { ...base64url, minLength: 0, pattern: '^[A-Za-z0-9_-]*$' };
/** At most 1,023 bytes: WebAuthn, §5.1.3. */
const credentialId = { ...base64url, maxLength: 1_364 };

/** Browsers send more members than these. They are not passed on, so that the response stays small. */
const responseOf = (needed: readonly string[], optional: Json) => ({
  type: 'object',
  additionalProperties: true,
  properties: { ...Object.fromEntries(needed.map((name) => [name, base64url])), ...optional },
  required: needed,
});

const credential = (description: string, response: Json, example: Json) =>
  json(
    description,
    { id: credentialId, rawId: credentialId, type: { type: 'string', enum: ['public-key'] }, response },
    {
      required: ['id', 'rawId', 'type', 'response'],
      examples: [{ id: ID, rawId: ID, type: 'public-key', clientExtensionResults: {}, response: example }],
    },
  );

export const PasskeyRegistration = named(
  'PasskeyRegistration',
  credential(
    'The browser’s response to `passkey_options`: the `toJSON()` of the credential that `navigator.credentials.create` returns.',
    responseOf(['clientDataJSON', 'attestationObject'], {
      transports: { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 32 } },
    }),
    { clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0', attestationObject: 'o2NmbXRkbm9uZQ' },
  ),
);

export const PasskeyAssertion = named(
  'PasskeyAssertion',
  credential(
    'The browser’s response to `passkey_options`: the `toJSON()` of the credential that `navigator.credentials.get` returns.',
    responseOf(['clientDataJSON', 'authenticatorData', 'signature'], { userHandle: optionalBase64url }),
    {
      clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0',
      authenticatorData: 'SZYN5YgOjGh0NBcPZHZgW4',
      signature: 'MEUCIQDx',
    },
  ),
);

export const passkeySchemas = [
  ...[PasskeyCreationOptions, PasskeyRequestOptions],
  ...[PasskeyRegistration, PasskeyAssertion],
];

interface Credential {
  id: string;
  rawId: string;
  type: string;
  response: Json;
}

/** The members that auth reads, as its JSON. Absent if there is no passkey. */
export function passkeyMessage(passkey: Json | undefined): { passkeyJson?: string } {
  if (!passkey) return {};
  const { id, rawId, type, response } = passkey as unknown as Credential;
  const { clientDataJSON, attestationObject, transports, authenticatorData, signature } = response;
  const kept = { clientDataJSON, attestationObject, transports, authenticatorData, signature };
  return { passkeyJson: JSON.stringify({ id, rawId, type, response: kept }) };
}
