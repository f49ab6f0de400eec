/** For tests only: the RPCs that their contracts call idempotent. */
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { fileDescriptorSet } from '@payflowx/proto/descriptors';

/** Paths such as /payflowx.payment.v1.PaymentService/GetPayment. Only these may be sent a second time. */
export function idempotentRpcs(): ReadonlySet<string> {
  const { file } = fromBinary(FileDescriptorSetSchema, fileDescriptorSet());
  const paths = file.flatMap(({ package: name, service: services }) =>
    services.flatMap(({ name: service, method: methods }) =>
      methods
        .filter(({ options }) => isIdempotent(options?.idempotencyLevel))
        .map(({ name: method }) => `/${name}.${service}/${method}`),
    ),
  );
  return new Set(paths);
}

function isIdempotent(level = MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN): boolean {
  return level !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}
