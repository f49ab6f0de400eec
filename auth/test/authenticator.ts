/** An authenticator in software (WebAuthn Level 3), with the browser in front of it: keys of ES256, and a signature counter. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** The page that asks. The browser gives the authenticator the domain, and writes the challenge and the origin into what is signed. */
export interface Page {
  origin: string;
  rpId: string;
  challenge: string;
  type: string;
}

/** The flags of authenticator data: user present and verified, backup possible and made, with a key. */
const FLAG = { present: 0x01, verified: 0x04, eligible: 0x08, backedUp: 0x10, attested: 0x40 };

export interface Settings {
  /** False: the counter stays 0, as that of passkeys that are copied between devices. */
  counts?: boolean;
  idBytes?: number;
  flags?: number;
}

export type Authenticator = ReturnType<typeof createAuthenticator>;

export function createAuthenticator(settings: Settings = {}) {
  const { counts = true, idBytes = 32, flags = FLAG.present | FLAG.verified } = settings;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(idBytes);
  let counter = 0;
  const advance = () => {
    if (counts) counter += 1;
    return counter;
  };
  return {
    id: id.toString('base64url'),
    /** Puts the counter back, as that of a copy that was used less. */
    rewind(by: number) {
      counter -= by;
    },
    /** The response to the creation options. `changed` has what this page does differently. */
    create(options: string, changed: Partial<Page> & Attestation = {}): string {
      const { challenge, rp } = JSON.parse(options);
      const page = {
        origin: `https://${rp.id}`,
        rpId: rp.id,
        challenge,
        type: 'webauthn.create',
        ...changed,
      };
      const key = Buffer.from(isoCBOR.encode(coseKey(publicKey)));
      const credential = Buffer.concat([Buffer.alloc(16), uint16(id.length), id, key]);
      const authData = Buffer.concat([head(page.rpId, flags | FLAG.attested, advance()), credential]);
      const clientData = clientDataOf(page);
      const statement = attestationOf(changed, signed(privateKey, authData, clientData));
      const object = isoCBOR.encode(
        new Map<string, never>(Object.entries({ ...statement, authData: bytes(authData) } as never)),
      );
      const response = {
        clientDataJSON: base64url(clientData),
        attestationObject: base64url(object),
        transports: ['internal', 'hybrid'],
        // Browsers send more than is needed.
        publicKeyAlgorithm: -7,
      };
      return responseJson(id, response);
    },
    /** The response to the request options of a login. */
    get(
      options: string,
      changed: Partial<Page> & { signer?: KeyObject; id?: string; without?: number } = {},
    ): string {
      const { challenge, rpId } = JSON.parse(options);
      const page = { origin: `https://${rpId}`, rpId, challenge, type: 'webauthn.get', ...changed };
      const authData = head(page.rpId, flags & ~(changed.without ?? 0), advance());
      const clientData = clientDataOf(page);
      const response = {
        clientDataJSON: base64url(clientData),
        authenticatorData: base64url(authData),
        signature: base64url(signed(changed.signer ?? privateKey, authData, clientData)),
        userHandle: base64url(Buffer.from('usr_1')),
      };
      return responseJson(changed.id ? Buffer.from(changed.id, 'base64url') : id, response);
    },
  };
}

export const SYNCED = FLAG.present | FLAG.verified | FLAG.eligible | FLAG.backedUp;
export const TOUCHED = FLAG.present;

interface Attestation {
  /** `self`: signed by the new key. `certificate`: signed by a key of the authenticator's maker. */
  attestation?: 'none' | 'self' | 'certificate';
}

function attestationOf({ attestation = 'none' }: Attestation, signature: Buffer) {
  if (attestation === 'none') return { fmt: 'none', attStmt: new Map() };
  const own = new Map<string, unknown>([
    ['alg', -7],
    ['sig', bytes(signature)],
  ]);
  if (attestation === 'certificate') own.set('x5c', [bytes(randomBytes(32))]);
  return { fmt: 'packed', attStmt: own };
}

/** RFC 9053: an EC2 key of P-256 for ES256. */
function coseKey(publicKey: KeyObject) {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return new Map<number, number | Uint8Array>([
    [1, 2],
    [3, -7],
    [-1, 1],
    [-2, bytes(Buffer.from(x, 'base64url'))],
    [-3, bytes(Buffer.from(y, 'base64url'))],
  ]);
}

function head(rpId: string, flags: number, counter: number): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(counter);
  return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.from([flags]), count]);
}

function clientDataOf({ type, challenge, origin }: Page): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}

function signed(key: KeyObject, authData: Buffer, clientData: Buffer): Buffer {
  return sign('sha256', Buffer.concat([authData, sha256(clientData)]), key);
}

function responseJson(id: Buffer, response: object): string {
  const text = base64url(id);
  const more = { authenticatorAttachment: 'platform', clientExtensionResults: {} };
  return JSON.stringify({ id: text, rawId: text, type: 'public-key', response, ...more });
}

function uint16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

const sha256 = (data: Buffer) => createHash('sha256').update(data).digest();
const bytes = (data: Buffer) => new Uint8Array(data);
const base64url = (data: Uint8Array) => Buffer.from(data).toString('base64url');
