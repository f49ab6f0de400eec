/** gRPC reflection, so that grpcurl needs no files: answered from the descriptors that @payflowx/proto ships. */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Server } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { fileDescriptorSet } from '@payflowx/proto/descriptors';
import { protoPath as healthProto } from 'grpc-health-check';

const HEALTH = 'grpc.health.v1.Health';

/** Describes the named services and the health service, and no others, to whoever asks. */
export function addReflection(server: Server, services: string[]): void {
  // Our files go in as they were compiled. Through proto-loader they would lose the packages of the types they refer to,
  // and grpcurl could not resolve them. Of a PackageDefinition, reflection reads nothing but these bytes.
  const ours = { contracts: { fileDescriptorProtos: filesOf(fileDescriptorSet()) } };
  const contracts = { ...loadSync(healthProto), ...ours } as unknown as PackageDefinition;
  new ReflectionService(contracts, { services: [...services, HEALTH] }).addToServer(server);
}

/** The files of a google.protobuf.FileDescriptorSet, each still encoded: it is a message of one repeated field. */
function filesOf(set: Uint8Array): Buffer[] {
  const files: Buffer[] = [];
  const reader = new BinaryReader(set);
  while (reader.pos < reader.len) {
    reader.tag();
    files.push(Buffer.from(reader.bytes()));
  }
  return files;
}
