/** gRPC like grpcurl: knows only addresses, learns the contracts by reflection, and sends plain objects. */
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ErrorInfo, Status } from '@payflowx/proto/rpc';
import { PATIENCE_MS } from './patience.ts';
import { reflect } from './reflection.ts';
import type { Body } from './rest.ts';
import { type ClientCertificate, credentialsFor, NAMED } from './tls.ts';

/** The services' default ports; PAYFLOWX_PORT_OFFSET moves them all (infra/README.md). */
const ADDRESSES = [50051, 50052, 50053, 50054, 50055, 50056].map(rpcAddress);

export function rpcAddress(port: number): string {
  return `127.0.0.1:${port + Number(process.env.PAYFLOWX_PORT_OFFSET ?? 0)}`;
}

export interface RpcAnswer {
  /** The code's name: OK, NOT_FOUND and so on. */
  code: string;
  /** The response; empty unless OK. */
  response: Body;
  message: string;
  /** The google.rpc.ErrorInfo in the details, with the service's reason. */
  reason: string | undefined;
}

export interface Rpc {
  /** Such as `payflowx.payment.v1.PaymentService/GetPayment`. */
  name: string;
  /** Without the package: `PaymentService/GetPayment`. */
  shortName: string;
  /** True if the request has this field. */
  takes(field: string): boolean;
  call(request?: object, token?: string): Promise<RpcAnswer>;
}

/** Every RPC of the platform's own services, by name. */
export async function reflectedRpcs(): Promise<Map<string, Rpc>> {
  return new Map((await rpcsOfServers()).map((rpc) => [rpc.name, rpc]));
}

/**
 * Every RPC of every server: an RPC that several services serve is there for each of them. With a certificate, the calls are those of a
 * service.
 */
export async function rpcsOfServers(certificate?: ClientCertificate): Promise<Rpc[]> {
  return (await Promise.all(ADDRESSES.map((address) => rpcsAt(address, certificate)))).flat();
}

async function rpcsAt(address: string, certificate?: ClientCertificate): Promise<Rpc[]> {
  const services = [...(await reflect(address))].filter(([name]) => name.startsWith('payflowx.'));
  // Several services serve the contracts of dead letters and of the pipeline. The certificate has the name of the one at this address.
  const [own = ''] = services
    .map(([name]) => name)
    .filter((name) => !/\.(deadletters|pipeline)\./.test(name));
  return services.flatMap(([service, ServiceClient]) => {
    const client = new ServiceClient(address, credentialsFor(own, certificate), NAMED);
    return Object.entries(ServiceClient.service).map(([method, { requestType }]: [string, Body]) => ({
      name: `${service}/${method}`,
      shortName: `${service.split('.').at(-1)}/${method}`,
      takes: (field) => requestType.type.field.some(({ name }: { name: string }) => name === field),
      call: (request = {}, token) => unary(client, method, request, token),
    }));
  });
}

function unary(client: Client, method: string, request: object, token?: string): Promise<RpcAnswer> {
  const metadata = new Metadata({ waitForReady: true });
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const options = { deadline: Date.now() + PATIENCE_MS };
  return new Promise((resolve) => {
    (client as Body)[method](request, metadata, options, (error: ServiceError | null, response: Body) => {
      if (!error) return resolve({ code: 'OK', response, message: '', reason: undefined });
      const { code, details } = error;
      resolve({ code: status[code] ?? 'UNKNOWN', response: {}, message: details, reason: reasonOf(error) });
    });
  });
}

function reasonOf({ metadata }: ServiceError): string | undefined {
  const [bytes] = metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return undefined;
  const info = Status.decode(bytes).details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.ErrorInfo'));
  return info && ErrorInfo.decode(info.value).reason;
}
