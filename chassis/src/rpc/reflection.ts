/** gRPC reflection, so that grpcurl needs no files. It reads the descriptors in @payflowx/proto. */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Server } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { fileDescriptorSet } from '@payflowx/proto/descriptors';
import { protoPath as healthProto } from 'grpc-health-check';

const HEALTH = 'grpc.health.v1.Health';

/** Describes only the named services and the health service, to every caller. */
export function addReflection(server: Server, services: string[]): void {
  // The compiled files are passed unchanged. Through proto-loader they would lose the packages of the types they refer to, and
  // grpcurl could not resolve them. Reflection reads only these bytes of a PackageDefinition.
  const ours = { contracts: { fileDescriptorProtos: filesOf(fileDescriptorSet()) } };
  const contracts = { ...loadSync(healthProto), ...ours } as unknown as PackageDefinition;
  new ReflectionService(contracts, { services: [...services, HEALTH] }).addToServer(server);
}

/** Returns the files of a google.protobuf.FileDescriptorSet, each still encoded. The set is a message of one repeated field. */
function filesOf(set: Uint8Array): Buffer[] {
  const files: Buffer[] = [];
  const reader = new BinaryReader(set);
  while (reader.pos < reader.len) {
    reader.tag();
    files.push(Buffer.from(reader.bytes()));
  }
  return files;
}
