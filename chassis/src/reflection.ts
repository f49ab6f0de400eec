/** gRPC reflection, so that grpcurl needs no files: answered from the descriptors that @payflowx/proto ships. */
import type { Server } from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { fileDescriptorSet } from '@payflowx/proto/descriptors';

/** Describes the named services, and no others, to whoever asks. */
export function addReflection(server: Server, services: string[]): void {
  const contracts = loadFileDescriptorSetFromBuffer(fileDescriptorSet());
  new ReflectionService(contracts, { services }).addToServer(server);
}
