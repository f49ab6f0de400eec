/** The gRPC channel to another service. Each renewal of the certificate opens a new channel, so that no connection outlives its certificate. */
import { type ChannelOptions, Client } from '@grpc/grpc-js';
import type { Certificates } from '../tls/certificates.ts';
import { channelCredentials } from '../tls/credentials.ts';

export interface Channel {
  readonly client: Client;
  calls: number;
}

export interface Channels {
  /** Returns the channel for a new call. The call must end with `release`. */
  take(): Channel;
  release(channel: Channel): void;
  close(): void;
}

/** `service` is the name that the certificates of the other side must contain. */
export function openChannels(
  { target, service, certificates }: { target: string; service: string; certificates: Certificates },
  options: ChannelOptions,
): Channels {
  const open = (): Channel => ({
    client: new Client(target, channelCredentials(certificates.current(), service), options),
    calls: 0,
  });
  const retired = new Set<Channel>();
  let current = open();

  const closeIfUnused = (channel: Channel) => {
    if (channel.calls > 0) return;
    retired.delete(channel);
    channel.client.close();
  };
  const forget = certificates.onChange(() => {
    const previous = current;
    current = open();
    // Closing a channel would cancel its calls.
    retired.add(previous);
    closeIfUnused(previous);
  });

  return {
    take() {
      current.calls += 1;
      return current;
    },
    release(channel) {
      channel.calls -= 1;
      if (retired.has(channel)) closeIfUnused(channel);
    },
    close() {
      forget();
      for (const { client } of [...retired, current]) client.close();
    },
  };
}
