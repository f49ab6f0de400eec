/** Plain gRPC calls, as grpcurl would make them: any method of any service, with or without a token. */
import { type Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { AnalyticsServiceClient } from '@payflowx/proto/analytics';
import { AuthServiceClient } from '@payflowx/proto/auth';
import { AccountServiceClient, AuthorizationServiceClient } from '@payflowx/proto/authorization';
import { LedgerServiceClient } from '@payflowx/proto/ledger';
import { NotificationServiceClient } from '@payflowx/proto/notification';
import { PaymentServiceClient } from '@payflowx/proto/payment';

/** Every service of the platform and where the contract says it listens. */
export const SERVICES = [
  { client: AuthServiceClient, port: 50051 },
  { client: AccountServiceClient, port: 50052 },
  { client: AuthorizationServiceClient, port: 50052 },
  { client: PaymentServiceClient, port: 50053 },
  { client: LedgerServiceClient, port: 50054 },
  { client: NotificationServiceClient, port: 50055 },
  { client: AnalyticsServiceClient, port: 50056 },
] as const;

export type RpcAnswer =
  | { code: 'OK'; response: Record<string, unknown> }
  | { code: string; response?: undefined };

type Unary = (
  request: object,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: Record<string, unknown>) => void,
) => void;

/** Calls a method with what `request` leaves out being empty, and answers with the code's name, whatever it is. */
export async function callRpc(
  service: (typeof SERVICES)[number],
  method: string,
  { request = {}, token }: { request?: object; token?: string | undefined } = {},
): Promise<RpcAnswer> {
  const client: Client = new service.client(`127.0.0.1:${service.port}`, credentials.createInsecure());
  const metadata = new Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const definition = (
    service.client.service as Record<string, { requestDeserialize(bytes: Buffer): object }>
  )[method];
  const whole = { ...definition?.requestDeserialize(Buffer.alloc(0)), ...request };
  try {
    return await new Promise((resolve) => {
      const unary = (client as unknown as Record<string, Unary>)[method] as Unary;
      unary.call(client, whole, metadata, { deadline: Date.now() + 10_000 }, (error, response) =>
        resolve(error ? { code: status[error.code] ?? 'UNKNOWN' } : { code: 'OK', response }),
      );
    });
  } finally {
    client.close();
  }
}

export function serviceNamed(name: string): (typeof SERVICES)[number] {
  const service = SERVICES.find(({ client }) => client.serviceName.endsWith(`.${name}`));
  if (!service) throw new Error(`There is no service ${name}.`);
  return service;
}
