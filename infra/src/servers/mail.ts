/** Runs maildev: an SMTP server that keeps every mail, and shows it on a page. It sends nothing anywhere. */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { local, root } from '../paths.ts';
import type { Settings } from '../settings.ts';
import type { Server } from './server.ts';

/** The mails are kept in memory. If there are too many, the process ends and starts with an empty inbox. */
const MEMORY_LIMITS = ['--max-old-space-size=64', '--max-semi-space-size=2'];

const folder = join(local, 'mail');

export function mail(settings: Settings): Server {
  const { ports, external } = settings;
  const url = external.mail ?? `smtp://127.0.0.1:${ports.mail}`;
  return {
    name: 'mail',
    url,
    ports: ['mail', 'mail_page'],
    isOnlyNative: true,
    async prepare() {
      await mkdir(folder, { recursive: true });
      const command = [
        process.execPath,
        ...MEMORY_LIMITS,
        join(root, 'node_modules/maildev/bin/maildev'),
        ...['--ip', '127.0.0.1', '--smtp', String(ports.mail), '--web', String(ports.mail_page), '--silent'],
      ];
      // maildev writes attachments and copies of the mails into the folder for temporary files.
      return [
        { name: 'mail', command, folder, env: { TMPDIR: folder }, stopSignal: 'TERM', isBackground: true },
      ];
    },
    ping: () => awaitGreeting(url),
  };
}

/** The page with the mails. Undefined if the mails go to a server that is not ours. */
export function inboxPage({ ports, external }: Settings): string | undefined {
  return external.mail ? undefined : `http://127.0.0.1:${ports.mail_page}`;
}

/** An SMTP server speaks first: 220. With implicit TLS it waits for the handshake, so an open port must do. */
function awaitGreeting(url: string): Promise<void> {
  const { protocol, hostname, port } = new URL(url);
  const isEncrypted = protocol === 'smtps:';
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port: Number(port || (isEncrypted ? 465 : 587)),
      timeout: 2_000,
    });
    const end = (error?: Error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    if (isEncrypted) socket.once('connect', () => end());
    socket.once('data', (greeting) =>
      end(String(greeting).startsWith('220') ? undefined : new Error('no greeting')),
    );
    socket.once('error', end);
    socket.once('timeout', () => end(new Error('no answer')));
    socket.once('close', () => end(new Error('closed')));
  });
}
