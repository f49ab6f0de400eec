/** The common interface of the servers. */
import type { Note } from '../progress.ts';
import type { PortName } from '../settings.ts';
import type { Program } from '../supervisor-config.ts';

export type ServerName = 'postgres' | 'kafka' | 'rabbitmq' | 'consul' | 'mail';

/** How a server came to run. */
export type Source = 'given by the environment' | 'in a container' | 'native';

export interface Server {
  readonly name: ServerName;
  /** Its address, also for the services: a URL, or host and port. */
  readonly url: string;
  /** The ports that it listens on when it runs natively. */
  readonly ports: PortName[];
  /** True for a server that comes with our packages. It never runs in a container. */
  readonly isOnlyNative?: boolean;
  /** Gets everything needed to run it natively (binaries, data folder, configuration), and returns the programs. */
  prepare(note: Note): Promise<Program[]>;
  /** Rejects until the server answers in its own protocol. */
  ping(): Promise<void>;
}
