/** Reads the services and contracts of a gRPC server by reflection, as grpcurl does. */
import {
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { PATIENCE_MS } from './patience.ts';
import { anyService, NAMED } from './tls.ts';

/** The format of grpcurl: names as in the contract, enums by name, defaults for unset fields. */
const AS_JSON = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };

const PROTOCOL = new URL('reflection.proto', import.meta.url).pathname;
const protocol = clientsOf(loadSync(PROTOCOL, { keepCase: true, oneofs: true }));

interface ReflectionResponse {
  list_services_response?: { service: { name: string }[] };
  file_descriptor_response?: { file_descriptor_proto: Buffer[] };
  error_response?: { error_message: string };
}
type Question = { list_services: string } | { file_containing_symbol: string } | { file_by_filename: string };

/** The services at an address by their full names, each as a client that takes and returns plain objects. */
export async function reflect(address: string): Promise<Map<string, ServiceClientConstructor>> {
  const { ask, close } = open(address);
  try {
    const listed = await ask({ list_services: '' });
    const names = listed.list_services_response?.service.map(({ name }) => name) ?? [];
    const files = new Map<string, Buffer>();
    for (const name of names) {
      const response = await ask({ file_containing_symbol: name });
      for (const file of response.file_descriptor_response?.file_descriptor_proto ?? []) {
        files.set(file.toString('base64'), file);
      }
    }
    const contracts = clientsOf(loadFileDescriptorSetFromBuffer(descriptorSet([...files.values()]), AS_JSON));
    return new Map(
      names.flatMap((name) => (contracts.has(name) ? [[name, contracts.get(name) as never]] : [])),
    );
  } finally {
    close();
  }
}

function open(address: string) {
  const Reflection = protocol.get('grpc.reflection.v1.ServerReflection') as ServiceClientConstructor;
  const client = new Reflection(address, anyService(), NAMED);
  // As grpcurl does, the call waits for the connection.
  const metadata = new Metadata({ waitForReady: true });
  const options = { deadline: Date.now() + PATIENCE_MS };
  // biome-ignore lint/complexity/useLiteralKeys: methods of a client that was made from a file are known by name only.
  const call = client['ServerReflectionInfo']?.call(client, metadata, options);
  const answers: AsyncIterator<ReflectionResponse> = call[Symbol.asyncIterator]();
  return {
    async ask(question: Question): Promise<ReflectionResponse> {
      call.write(question);
      const { value } = await answers.next();
      if (value.error_response) throw new Error(`${address}: ${value.error_response.error_message}`);
      return value;
    },
    close() {
      call.end();
      client.close();
    },
  };
}

/** A google.protobuf.FileDescriptorSet has one repeated field, number 1, whose items are the files. */
function descriptorSet(files: Buffer[]): Buffer {
  return Buffer.concat(files.flatMap((file) => [Buffer.from([0x0a, ...varint(file.length)]), file]));
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

function clientsOf(definition: PackageDefinition): Map<string, ServiceClientConstructor> {
  const loaded = loadPackageDefinition(definition);
  const find = (name: string) =>
    name
      .split('.')
      .reduce<GrpcObject | undefined>((at, part) => at?.[part] as GrpcObject | undefined, loaded);
  const services = Object.keys(definition).filter((name) => !('format' in (definition[name] ?? {})));
  return new Map(services.map((name) => [name, find(name) as unknown as ServiceClientConstructor]));
}
