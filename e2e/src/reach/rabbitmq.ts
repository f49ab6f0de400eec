/** The rights of a client of RabbitMQ, found out by trying. No attempt changes anything, whether it is refused or not. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import amqp, { type Channel, type ChannelModel } from 'amqplib';
import { rpcAddress } from '../rpc.ts';

/** All queues, exchanges and virtual hosts that exist. */
export interface RabbitObjects {
  virtualHosts: string[];
  /** Of the virtual host of the platform. */
  queues: string[];
  exchanges: string[];
}

const VIRTUAL_HOST = 'payflowx';

/** In Erlang, because RabbitMQ has no interface over the network for it without further plugins. */
const LIST = `
Names = fun(Items) -> [element(4, element(2, Item)) || Item <- Items] end,
VHost = <<"${VIRTUAL_HOST}">>,
iolist_to_binary(rabbit_json:encode(#{
  virtualHosts => rabbit_vhost:list_names(),
  queues => Names(rabbit_amqqueue:list(VHost)),
  exchanges => Names(rabbit_exchange:list(VHost))})).`;

export async function existingObjects(): Promise<RabbitObjects> {
  const folder = fileURLToPath(new URL('../../../.local/rabbitmq', import.meta.url));
  const env = { ...process.env, HOME: folder, ERL_EPMD_PORT: portOf(rpcAddress(4370)) };
  const command = ['-n', 'payflowx@localhost', '-q', 'eval', LIST];
  const { stdout } = await promisify(execFile)('/usr/lib/rabbitmq/bin/rabbitmqctl', command, { env });
  // Erlang prints <<"…">>, with escaped quotes.
  const text = stdout.trim().slice('<<'.length, -'>>'.length).replace(/"\s*"/g, '');
  return JSON.parse(JSON.parse(text));
}

const portOf = (address: string) => address.split(':')[1];

/** With the settings that the process of a service has. Undefined if it has none. */
export async function connectAs({
  RABBITMQ_URL: url,
  RABBITMQ_CA_FILE: caFile = '',
}: Readonly<Record<string, string>>): Promise<ChannelModel | undefined> {
  if (url === undefined) return undefined;
  const connection = await amqp.connect(url, { ca: readFileSync(caFile) });
  connection.on('error', () => undefined);
  return connection;
}

export async function mayOpen(environment: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    const connection = await connectAs(environment);
    await connection?.close();
    return connection !== undefined;
  } catch (error) {
    // RabbitMQ closes the connection instead of opening the virtual host.
    if ((error as Error).message.includes('ConnectionClose')) return false;
    throw error;
  }
}

/** RabbitMQ's code for a refused right, and for arguments that do not fit. It checks the right first. */
const REFUSED = 403;
const DO_NOT_FIT = 406;

/** True if the attempt succeeds or its arguments do not fit. False if RabbitMQ refuses it. Rejects with any other error. */
async function isPermitted(
  connection: ChannelModel,
  attempt: (channel: Channel) => Promise<unknown>,
): Promise<boolean> {
  const channel = await connection.createChannel();
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => undefined);
  channel.on('error', reject);
  try {
    await Promise.race([attempt(channel), broken]);
    await channel.close();
    return true;
  } catch (error) {
    const { code } = error as { code?: number };
    if (code === REFUSED) return false;
    if (code === DO_NOT_FIT) return true;
    throw error;
  }
}

/** The priority is no number. */
export const mayConsume = (connection: ChannelModel, queue: string) =>
  isPermitted(connection, (channel) =>
    channel.consume(queue, () => undefined, { arguments: { 'x-priority': 'none' } }),
  );

/** An existing queue is durable. */
export const mayDefineQueue = (connection: ChannelModel, queue: string) =>
  isPermitted(connection, (channel) => channel.assertQueue(queue, { durable: false }));

/** No queue has this routing key. */
export const mayPublish = (connection: ChannelModel, exchange: string) =>
  isPermitted(connection, async (channel) => {
    channel.publish(exchange, 'nobody', Buffer.from('blast radius'));
    // RabbitMQ answers in order, so the refusal comes before this answer.
    await channel.prefetch(1);
  });

/** An existing exchange is durable. The default exchange cannot be defined. */
export const mayDefineExchange = (connection: ChannelModel, exchange: string) =>
  isPermitted(connection, (channel) => channel.assertExchange(exchange, 'direct', { durable: false }));
