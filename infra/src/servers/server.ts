/** What the four servers have in common. */
import type { Note } from '../progress.ts';
import type { PortName } from '../settings.ts';
import type { Program } from '../supervisor-config.ts';

export type ServerName = 'postgres' | 'kafka' | 'rabbitmq' | 'consul';

export interface Server {
  readonly name: ServerName;
  /** Where it is reached, also by the services: a URL, or host and port. */
  readonly url: string;
  /** The ports it listens on when it runs here. */
  readonly ports: PortName[];
  /** Gets what it takes to run it natively (binaries, data folder, configuration) and says how. */
  prepare(note: Note): Promise<Program[]>;
  /** Rejects until it answers in its own protocol. */
  ping(): Promise<void>;
}
