/** Passkeys of this browser (WebAuthn): made and used by the browser's own functions. */
import type { Schema } from '@payflowx/client';

/** The browser knows passkeys, and reads and writes them as JSON. Only secure pages have them. */
function isKnown(): boolean {
  return typeof PublicKeyCredential === 'function' && 'parseCreationOptionsFromJSON' in PublicKeyCredential;
}

/** True if this page can make passkeys for the platform. */
export function canAddPasskey(origins: readonly string[]): boolean {
  return isKnown() && origins.includes(location.origin);
}

/** True if this page is one of the domain that the passkeys are for. */
export function canUsePasskey(options: Schema<'PasskeyRequestOptions'> | undefined): boolean {
  const { hostname } = location;
  const domain = options?.rpId;
  return isKnown() && typeof domain === 'string' && (hostname === domain || hostname.endsWith(`.${domain}`));
}

/** Asks the person to make a passkey. Rejects if the person does not. */
export async function makePasskey(
  options: Schema<'PasskeyCreationOptions'>,
): Promise<Schema<'PasskeyRegistration'>> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    options as unknown as PublicKeyCredentialCreationOptionsJSON,
  );
  return asked<Schema<'PasskeyRegistration'>>(() => navigator.credentials.create({ publicKey }));
}

/** Asks the person for one of the passkeys. Rejects if the person gives none. */
export async function givePasskey(
  options: Schema<'PasskeyRequestOptions'>,
): Promise<Schema<'PasskeyAssertion'>> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    options as unknown as PublicKeyCredentialRequestOptionsJSON,
  );
  return asked<Schema<'PasskeyAssertion'>>(() => navigator.credentials.get({ publicKey }));
}

async function asked<T>(ask: () => Promise<Credential | null>): Promise<T> {
  try {
    return ((await ask()) as PublicKeyCredential).toJSON() as T;
  } catch (error) {
    throw new PasskeyError(REASONS[(error as DOMException).name] ?? 'The browser could not use a passkey.', {
      cause: error,
    });
  }
}

/** The browser does not say more, so that pages cannot find out which passkeys exist. */
const REASONS: Record<string, string> = {
  NotAllowedError: 'No passkey was given: it was cancelled, took too long, or this device has none of yours.',
  InvalidStateError: 'This device has a passkey of yours already.',
  SecurityError: 'Passkeys do not work at this address of the platform.',
};

/** Its text is for people. */
class PasskeyError extends Error {
  override readonly name = 'PasskeyError';
  override toString(): string {
    return this.message;
  }
}
