/**
 * Calls every RPC of a service with hostile values in every field. It reads the contracts, so that no RPC and no field can be
 * forgotten. No input may make a service fail: every refusal must have a reason that its caller can understand.
 */
import { randomUUID } from 'node:crypto';
import {
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  ScalarType,
} from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { fileDescriptorSet } from '@payflowx/proto/descriptors';
import { serviceOf } from '../rpc/client.ts';
import { type TestService, testCredentials } from './certificates.ts';
import { PATIENCE_MS } from './deadlines.ts';

export interface HostileCalls {
  /** The gRPC target of the server. */
  target: string;
  /** The full name of a service, such as `payflowx.ledger.v1.LedgerService`. */
  service: string;
  /** Access tokens of callers that together may call all RPCs of users. Each request is sent with each. */
  accessTokens: readonly string[];
  /** A service that may call the other RPCs. */
  as?: TestService;
  /** Valid values by the names of fields. With them the other checks pass, and a hostile value gets further. */
  examples?: Readonly<Record<string, string>>;
}

export interface HostileOutcome {
  /** The number of calls. */
  calls: number;
  /** The calls that failed with INTERNAL or UNKNOWN, or had such an item: the RPC, the field and the start of the message. */
  failures: string[];
}

const CONCURRENCY = 8;
const BUGS = new Set<number>([status.INTERNAL, status.UNKNOWN]);

export async function callWithHostileRequests(options: HostileCalls): Promise<HostileOutcome> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fileDescriptorSet()));
  const service = registry.getService(options.service);
  if (!service) throw new Error(`There is no service ${options.service}.`);
  const client = new Client(
    options.target,
    testCredentials(serviceOf(options.service) as TestService, options.as),
  );

  const outcome: HostileOutcome = { calls: 0, failures: [] };

  const queue = service.methods.flatMap(({ name, input, output }) =>
    [...requestsOf(input, options.examples ?? {})].flatMap((request) =>
      options.accessTokens.map((accessToken) => ({ name, output, request, accessToken })),
    ),
  );
  const work = queue.values();
  const callInTurn = async () => {
    for (const { name, output, request, accessToken } of work) {
      const path = `/${options.service}/${name}`;
      const problem = await problemOf(client, path, request.bytes, accessToken, output);
      outcome.calls += 1;
      if (problem) outcome.failures.push(`${name} ${request.about}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, callInTurn));
  client.close();
  return outcome;
}

/** Returns the error of the call, or of an item of a batch, if it is a bug of the service. */
async function problemOf(
  client: Client,
  path: string,
  bytes: Uint8Array,
  accessToken: string,
  output: DescMessage,
): Promise<string | undefined> {
  try {
    return failedItem(fromBinary(output, await call(client, path, bytes, accessToken)));
  } catch (error) {
    const { code, details, message } = error as ServiceError;
    return code === undefined || BUGS.has(code) ? (details ?? message) : undefined;
  }
}

function call(client: Client, path: string, bytes: Uint8Array, accessToken: string): Promise<Buffer> {
  const asBytes = (message: Uint8Array) => Buffer.from(message);
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${accessToken}`);
  const deadline = Date.now() + PATIENCE_MS;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asBytes, asBytes, bytes, metadata, { deadline }, (error, answer) => {
      if (error) reject(error);
      else resolve(answer ?? Buffer.alloc(0));
    });
  });
}

function failedItem(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const {
    $typeName,
    code,
    message: text,
  } = message as { $typeName?: string; code?: number; message?: string };
  if ($typeName === 'google.rpc.Status' && BUGS.has(code ?? 0)) return text;
  for (const value of Object.values(message)) {
    const found = failedItem(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Request {
  about: string;
  bytes: Uint8Array;
}

type Examples = Readonly<Record<string, string>>;

function* requestsOf(message: DescMessage, examples: Examples): Generator<Request> {
  yield { about: 'with nothing', bytes: new Uint8Array() };
  yield { about: 'with noise', bytes: Buffer.from('0a7fffffff', 'hex') };
  yield { about: 'with nested groups', bytes: Buffer.alloc(20_000, 0xa3) };
  yield* mutationsOf(message, examples);
}

/** Valid messages in which one field is hostile. */
function* mutationsOf(message: DescMessage, examples: Examples): Generator<Request> {
  for (const field of message.fields) {
    const rest = exampleOf(message, examples, field);
    for (const { about, bytes } of hostileFields(field, examples)) {
      yield {
        about: about === '' ? field.name : `${field.name}.${about}`,
        bytes: Buffer.concat([rest, bytes]),
      };
    }
  }
}

function* hostileFields(field: DescField, examples: Examples): Generator<Request> {
  const element = () => exampleElement(field, examples);
  yield { about: '', bytes: new Uint8Array() };
  if (field.fieldKind === 'list' || field.fieldKind === 'map') {
    yield { about: '', bytes: Buffer.concat(Array.from({ length: 1_100 }, element)) };
  }
  if (field.fieldKind === 'map') {
    for (const text of TEXTS) {
      yield { about: 'key', bytes: pair(field, text, Buffer.from('value')) };
      yield { about: 'value', bytes: pair(field, Buffer.from('key'), text) };
    }
  } else if (field.message && field.message.typeName !== TIMESTAMP) {
    yield { about: '', bytes: lengthDelimited(field, new Uint8Array()) };
    for (const { about, bytes } of mutationsOf(field.message, examples)) {
      yield { about, bytes: lengthDelimited(field, bytes) };
    }
  } else {
    for (const bytes of hostileElements(field)) yield { about: '', bytes };
  }
}

const TIMESTAMP = 'google.protobuf.Timestamp';

const TEXTS: readonly Uint8Array[] = [
  ...['\0', 'a\0b', '\u0001', '\uffff', '__proto__', '%', "'", '\\', '-1', '+275760-09-13T00:00:00.000Z'],
  ...[
    'a'.repeat(63),
    'a'.repeat(255),
    'a'.repeat(50_000),
    '😀'.repeat(64),
    'acct_\ud83d\ude00',
    'null',
    '{}',
  ],
  // JSON where a page token is expected.
  ...[{}, [], 0].map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
]
  .map((text): Uint8Array => Buffer.from(text))
  // Half of a surrogate pair, an overlong slash, and bytes that UTF-8 never has.
  .concat(['eda080', 'c0af', 'fffe'].map((bytes) => Buffer.from(bytes, 'hex')));

const INT64S = [-(2n ** 63n), 2n ** 63n - 1n, -1n, 0n, 9_007_199_254_740_993n];
const INT32S = [-(2n ** 31n), 2n ** 31n - 1n, -1n, 0n];
/** The ends of the years 1 and 9999, of what Postgres and Date can represent, and of the type. */
const SECONDS = [
  ...[-62_135_596_800n, 253_402_300_799n, 253_402_300_800n, 9_224_318_015_999n],
  ...[8_640_000_000_000n, -8_640_000_000_000n, -210_866_803_200n, ...INT64S],
];
const NANOS = [0n, -1n, 999_999_999n, 2n ** 31n - 1n];

function* hostileElements(field: DescField): Generator<Uint8Array> {
  if (field.message) {
    for (const seconds of SECONDS) {
      for (const nanos of NANOS) yield lengthDelimited(field, timestamp(seconds, nanos));
    }
  } else if (isText(field)) {
    for (const text of TEXTS) yield lengthDelimited(field, text);
  } else {
    for (const number of field.scalar === ScalarType.INT64 ? INT64S : INT32S) yield varint(field, number);
  }
}

function exampleOf(message: DescMessage, examples: Examples, without?: DescField): Uint8Array {
  const fields = message.fields.filter((field) => field !== without);
  return Buffer.concat(fields.map((field) => exampleElement(field, examples)));
}

function exampleElement(field: DescField, examples: Examples): Uint8Array {
  if (field.fieldKind === 'map') return pair(field, Buffer.from('key'), Buffer.from('value'));
  if (field.message?.typeName === TIMESTAMP) return lengthDelimited(field, timestamp(1_767_225_600n, 0n));
  if (field.message) return lengthDelimited(field, exampleOf(field.message, examples));
  if (isText(field)) return lengthDelimited(field, Buffer.from(exampleText(field.name, examples)));
  // Only a manual capture may hold money for a second.
  return varint(field, field.name === 'capture_mode' ? 2n : 1n);
}

/** Values that must be new in each request. Otherwise most requests would be refused as replays. */
const UNIQUE = new Set(['request_id', 'operation_id', 'name', 'username']);

function exampleText(name: string, examples: Examples): string {
  return UNIQUE.has(name) ? randomUUID() : (examples[name] ?? EXAMPLES[name] ?? '');
}

const UUID = '00000000-0000-7000-8000-00000000000';
const EXAMPLES: Examples = {
  currency: 'EUR',
  ...{ account_id: `acct_${UUID}1`, from_account: `acct_${UUID}1`, to_account: `acct_${UUID}2` },
  ...{ payment_id: `pay_${UUID}1`, account_ids: `acct_${UUID}1` },
  ...{ owner_id: `usr_${UUID}1`, caller_id: `usr_${UUID}1`, user_id: `usr_${UUID}1` },
  ...{ rule_id: `rule_${UUID}1`, transaction_id: `txn_${UUID}1`, reconciliation_id: `rec_${UUID}1` },
  ...{
    client_id: `cli_${UUID}1`,
    client_secret: 'secret',
    username: 'ada',
    password: 'correct horse battery',
  },
  ...{ refresh_token: 'token', scopes: 'accounts:read', client_address: '127.0.0.1' },
  ...{ time_zone: 'UTC', expression: 'true', from: '2026-01-01', to: '2026-01-02' },
};

function isText({ scalar }: DescField): boolean {
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
}

function lengthDelimited({ number }: { number: number }, content: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(content).finish();
}

function varint({ number }: { number: number }, value: bigint): Uint8Array {
  return new BinaryWriter().tag(number, WireType.Varint).int64(value).finish();
}

function timestamp(seconds: bigint, nanos: bigint): Uint8Array {
  return Buffer.concat([varint({ number: 1 }, seconds), varint({ number: 2 }, nanos)]);
}

function pair(field: DescField, key: Uint8Array, value: Uint8Array): Uint8Array {
  const content = [lengthDelimited({ number: 1 }, key), lengthDelimited({ number: 2 }, value)];
  return lengthDelimited(field, Buffer.concat(content));
}
