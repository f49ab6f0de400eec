/** The common interface of the four servers. */
import type { Note } from '../progress.ts';
import type { PortName } from '../settings.ts';
import type { Program } from '../supervisor-config.ts';

export type ServerName = 'postgres' | 'kafka' | 'rabbitmq' | 'consul';

export interface Server {
  readonly name: ServerName;
  /** Its address, also for the services: a URL, or host and port. */
  readonly url: string;
  /** The ports that it listens on when it runs natively. */
  readonly ports: PortName[];
  /** Gets everything needed to run it natively (binaries, data folder, configuration), and returns the programs. */
  prepare(note: Note): Promise<Program[]>;
  /** Rejects until the server answers in its own protocol. */
  ping(): Promise<void>;
}
