/** The contracts as a serialized google.protobuf.FileDescriptorSet: what gRPC reflection answers from. */
import { readFileSync } from 'node:fs';

export function fileDescriptorSet(): Buffer {
  return readFileSync(new URL('../gen/descriptors.binpb', import.meta.url));
}
