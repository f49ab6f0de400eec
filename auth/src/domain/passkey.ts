/**
 * Passkeys (WebAuthn Level 3) as second factors: the options for the browser, and the checks of its responses. Pure but for the random
 * bits of a challenge.
 */
import {
  type AuthenticationResponseJSON,
  type AuthenticatorTransportFuture,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers';
import { AuthError, invalid } from './errors.ts';
import { CHALLENGE_LIFETIME_MS, hashChallenge } from './second-factor.ts';

/** The site whose passkeys are accepted. */
export interface PasskeyPolicy {
  /** The relying party: the domain that passkeys are bound to. */
  rpId: string;
  /** The pages of the domain that may use them. */
  origins: readonly string[];
}

export interface Passkey {
  factorId: string;
  /** In base64url. */
  credentialId: string;
  /** A COSE_Key (RFC 9052). */
  publicKey: Buffer;
  /** Of the newest login. Always 0 if the authenticator does not count. */
  signCount: number;
  transports: string[];
  /** It can be copied to other devices. */
  backupEligible: boolean;
  /** It was copied. */
  backedUp: boolean;
}

/** Why a response is refused. At a login it is only for the log: its caller gets one error for all. */
export type PasskeyFault =
  | 'PASSKEY_UNKNOWN'
  | 'PASSKEY_TAKEN'
  | 'REGISTRATION_ENDED'
  | 'WRONG_CHALLENGE'
  | 'WRONG_ORIGIN'
  | 'WRONG_RP_ID'
  | 'ATTESTATION_NOT_ACCEPTED'
  | 'COUNTER_WENT_BACK'
  | 'RESPONSE_NOT_VALID';

const FAULTS: Record<PasskeyFault, string> = {
  PASSKEY_UNKNOWN: 'the user has no such passkey',
  PASSKEY_TAKEN: 'it is registered already',
  REGISTRATION_ENDED: 'the registration was completed, or took too long',
  WRONG_CHALLENGE: 'the response is for another challenge',
  WRONG_ORIGIN: 'the page is not one of PASSKEY_ORIGINS',
  WRONG_RP_ID: 'the response is for another domain than PASSKEY_RP_ID',
  ATTESTATION_NOT_ACCEPTED: 'its response has a certificate, and none was asked for',
  COUNTER_WENT_BACK: 'its counter went back',
  RESPONSE_NOT_VALID: 'the response is not valid',
};

/** Of a registration or login that is in progress. */
interface Expected {
  policy: PasskeyPolicy;
  /** As `hashChallenge` makes it. */
  challengeHash: Buffer;
}

/** EdDSA, ES256 and RS256: one of them is known to every authenticator. */
const ALGORITHMS = [-8, -7, -257];

/**
 * A PIN or a fingerprint is asked for where the authenticator has one, and not demanded: the passkey is the second factor, and the password
 * was the first. So security keys without a PIN are accepted too.
 */
const USER_VERIFICATION = { asked: 'preferred', demanded: false } as const;

export function creationOptions(
  { rpId }: PasskeyPolicy,
  user: { id: string; username: string },
  { challenge, known }: { challenge: string; known: readonly Passkey[] },
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return generateRegistrationOptions({
    rpName: 'PayFlowX',
    rpID: rpId,
    userID: bytesOf(Buffer.from(user.id)),
    userName: user.username,
    userDisplayName: user.username,
    challenge: bytesOf(Buffer.from(challenge, 'base64url')),
    timeout: CHALLENGE_LIFETIME_MS,
    attestationType: 'none',
    excludeCredentials: known.map(descriptorOf),
    authenticatorSelection: { residentKey: 'preferred', userVerification: USER_VERIFICATION.asked },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** The challenge of the login is the one that the passkey signs. So its response completes this login and no other. */
export function requestOptions(
  { rpId }: PasskeyPolicy,
  { challenge, known }: { challenge: string; known: readonly Passkey[] },
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  return generateAuthenticationOptions({
    rpID: rpId,
    challenge: bytesOf(Buffer.from(challenge, 'base64url')),
    timeout: CHALLENGE_LIFETIME_MS,
    allowCredentials: known.map(descriptorOf),
    userVerification: USER_VERIFICATION.asked,
  });
}

function descriptorOf({ credentialId, transports }: Passkey) {
  return { id: credentialId, transports: transports as AuthenticatorTransportFuture[] };
}

/** The passkey of a browser's response, or why it is refused. */
export async function checkRegistration(
  { policy, challengeHash }: Expected,
  response: RegistrationResponseJSON,
): Promise<{ passkey: Omit<Passkey, 'factorId'> } | { fault: PasskeyFault }> {
  try {
    if (hasCertificate(response)) return { fault: 'ATTESTATION_NOT_ACCEPTED' };
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      ...expectations(policy, challengeHash),
      response,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified) return { fault: 'RESPONSE_NOT_VALID' };
    const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo;
    if (isTooLong(credential.publicKey, credential.id)) return { fault: 'RESPONSE_NOT_VALID' };
    return {
      passkey: {
        credentialId: credential.id,
        publicKey: Buffer.from(credential.publicKey),
        signCount: credential.counter,
        transports: credential.transports ?? [],
        backupEligible: credentialDeviceType === 'multiDevice',
        backedUp: credentialBackedUp,
      },
    };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

/** WebAuthn allows ids of 1023 bytes. RSA keys of 16384 bits have 2 KiB. */
function isTooLong(publicKey: Uint8Array, credentialId: string): boolean {
  return Buffer.byteLength(credentialId, 'base64url') > 1_023 || publicKey.length > 4_096;
}

/** The new state of the passkey that signed the response, or why it is refused. */
export async function checkAuthentication(
  { policy, challengeHash }: Expected,
  passkey: Passkey,
  response: AuthenticationResponseJSON,
): Promise<{ used: Pick<Passkey, 'signCount' | 'backedUp'> } | { fault: PasskeyFault }> {
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...expectations(policy, challengeHash),
      response,
      // The library would report a counter that went back before it has checked the signature. It is checked below.
      credential: { id: passkey.credentialId, publicKey: bytesOf(passkey.publicKey), counter: 0 },
    });
    if (!verified) return { fault: 'RESPONSE_NOT_VALID' };
    const { newCounter: signCount, credentialBackedUp: backedUp } = authenticationInfo;
    if (wentBack(passkey.signCount, signCount)) return { fault: 'COUNTER_WENT_BACK' };
    return { used: { signCount, backedUp } };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

/** A counter that does not advance is the sign of a copied authenticator (WebAuthn, 6.1.1). Those that do not count send 0 each time. */
function wentBack(stored: number, sent: number): boolean {
  return (stored > 0 || sent > 0) && sent <= stored;
}

function expectations({ rpId, origins }: PasskeyPolicy, challengeHash: Buffer) {
  return {
    expectedChallenge: (challenge: string) => hashChallenge(challenge).equals(challengeHash),
    expectedOrigin: [...origins],
    expectedRPID: rpId,
    requireUserVerification: USER_VERIFICATION.demanded,
  };
}

/**
 * The options ask for no attestation, so browsers send none, or a signature by the passkey itself. The library would load the revocation
 * lists that a certificate names, from any address that its maker chose.
 */
function hasCertificate({ response }: RegistrationResponseJSON): boolean {
  const attestation = decodeAttestationObject(isoBase64URL.toBuffer(response.attestationObject));
  const format = attestation.get('fmt');
  const isOwn = format === 'packed' && attestation.get('attStmt').get('x5c') === undefined;
  return format !== 'none' && !isOwn;
}

/** The texts of the library have the challenge and other input, which must not be logged. */
function faultOf(error: unknown): PasskeyFault {
  const { name, message } = error as Error;
  if (name === 'UnexpectedRPIDHash') return 'WRONG_RP_ID';
  if (/^Unexpected \w+ response origin /.test(message)) return 'WRONG_ORIGIN';
  if (/^Custom challenge verifier /.test(message)) return 'WRONG_CHALLENGE';
  return 'RESPONSE_NOT_VALID';
}

/** Reads the JSON of a RegistrationResponse. Throws INVALID_ARGUMENT. */
export function readRegistration(text: string): RegistrationResponseJSON {
  const { response, ...credential } = readCredential(text);
  const { clientDataJSON, attestationObject, transports = [] } = response;
  const isKnown = isBase64url(clientDataJSON) && isBase64url(attestationObject) && isTransports(transports);
  if (!isKnown) throw refusedPasskey('must be a registration response of WebAuthn');
  const read = { clientDataJSON, attestationObject, transports };
  return { ...credential, response: read } as RegistrationResponseJSON;
}

/** Reads the JSON of an AuthenticationResponse. Throws INVALID_ARGUMENT. */
export function readAuthentication(text: string): AuthenticationResponseJSON {
  const { response, ...credential } = readCredential(text);
  const { clientDataJSON, authenticatorData, signature } = response;
  const isKnown = isBase64url(clientDataJSON) && isBase64url(authenticatorData) && isBase64url(signature);
  if (!isKnown) throw refusedPasskey('must be an authentication response of WebAuthn');
  const read = { clientDataJSON, authenticatorData, signature };
  return { ...credential, response: read } as AuthenticationResponseJSON;
}

function readCredential(text: string) {
  const { id, rawId, type, response } = objectOf(parsed(text));
  if (!isBase64url(id) || id !== rawId || type !== 'public-key') {
    throw refusedPasskey('needs id, the same rawId, and the type public-key');
  }
  return { id, rawId: id, type, clientExtensionResults: {}, response: objectOf(response) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusedPasskey('must be JSON');
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) throw refusedPasskey('must be a response of WebAuthn, with its member response');
  return value as Record<string, unknown>;
}

function isBase64url(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]+$/.test(value);
}

/** Browsers know seven, and may learn more. */
function isTransports(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= 10 &&
    value.every((each) => typeof each === 'string' && /^[a-z-]{1,32}$/.test(each))
  );
}

/** The caller is known, so it may know the reason. */
export function refusedRegistration(fault: PasskeyFault): AuthError {
  return new AuthError('INVALID_SECOND_FACTOR', `The passkey is not accepted: ${FAULTS[fault]}.`);
}

function refusedPasskey(description: string): AuthError {
  return invalid([{ field: 'passkey_json', description }]);
}

/** Throws PASSKEYS_NOT_AVAILABLE. */
export function requirePasskeys(policy: PasskeyPolicy | undefined): PasskeyPolicy {
  if (policy) return policy;
  throw new AuthError(
    'PASSKEYS_NOT_AVAILABLE',
    'This platform has no passkeys. Its operator turns them on. Add an authenticator app instead.',
  );
}

/** The library takes arrays whose memory is not shared. */
function bytesOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}
