/** The contracts as a serialized google.protobuf.FileDescriptorSet, which gRPC reflection reads. */
import { readFileSync } from 'node:fs';

export function fileDescriptorSet(): Buffer {
  return readFileSync(new URL('../gen/descriptors.binpb', import.meta.url));
}
