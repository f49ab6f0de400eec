/** Sends mails over SMTP. Keeps a few connections open. Retries nothing: that is the job queue's task. */
import { createTransport } from 'nodemailer';
import type { Attempt } from '../domain/mail-delivery.ts';
import type { RenderedMail } from '../domain/mail-letter.ts';

export interface MailServerSettings {
  /** smtp://user:password@host:port, or smtps:// for TLS from the start. */
  url: string;
  /** For smtp://. `required`: no mail, and no password, is sent without TLS. */
  startTls: 'required' | 'if-offered' | 'off';
  /** Certificates of authorities in PEM, instead of the public ones. */
  ca: string | undefined;
  connections: number;
  from: { name: string; address: string };
  /** For tests. */
  limits?: Partial<typeof LIMITS>;
}

export interface MailServer {
  /** Never rejects. `id` becomes the Message-ID: it is the same for each attempt. */
  send(mail: RenderedMail & { id: string; to: string }): Promise<Attempt>;
  /** Closes idle connections at once, and the others after their mail. */
  close(): void;
}

/**
 * An address without a name, quotes, comments or groups. nodemailer parses addresses, also those of the envelope. In a text with
 * these characters it would read several addresses, or another one.
 */
const PLAIN_ADDRESS = /^[^\s\p{C}@<>()[\]\\,;:"]+@[^\s\p{C}@<>()[\]\\,;:"]+$/u;

/** A server that is alive answers sooner. RFC 5321 allows minutes, but a mail that waits is sent again. */
const LIMITS = { connectMs: 10_000, silenceMs: 30_000, wholeMs: 90_000 };

export function connectMailServer(settings: MailServerSettings): MailServer {
  const { from } = settings;
  const { connectMs, silenceMs, wholeMs } = { ...LIMITS, ...settings.limits };
  const transport = createTransport({
    ...endpointOf(settings),
    pool: true,
    maxConnections: settings.connections,
    maxRequeues: 0,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    // No text of a mail may make the library read a file or an address.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // Errors of idle connections. The next mail opens a new one.
  transport.on('error', () => {});

  return {
    async send({ id, to, subject, text, html }) {
      if (!PLAIN_ADDRESS.test(to)) return { result: 'address refused', response: 'not a plain address' };
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          messageId: messageIdOf(id, from.address),
          subject,
          text,
          html,
          // No out-of-office replies: RFC 3834.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(wholeMs),
        });
        return { result: 'accepted' };
      } catch (error) {
        return attemptOf(error as SmtpError);
      }
    },
    close: () => transport.close(),
  };
}

/** Unique in the world, and computed from the mail's id: receivers recognise a mail that was sent twice. */
export function messageIdOf(mailId: string, fromAddress: string): string {
  return `<${mailId}@${fromAddress.slice(fromAddress.lastIndexOf('@') + 1)}>`;
}

const DEFAULT_PORTS = { 'smtp:': 587, 'smtps:': 465 };

function endpointOf({ url, startTls, ca }: MailServerSettings) {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || DEFAULT_PORTS[secure ? 'smtps:' : 'smtp:']),
    secure,
    requireTLS: startTls === 'required',
    ignoreTLS: startTls === 'off',
    tls: { minVersion: 'TLSv1.2' as const, ...(ca !== undefined && { ca }) },
    ...(username !== '' && {
      auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    }),
  };
}

/** The fields of nodemailer's errors. */
interface SmtpError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
}

function attemptOf({ code, command = '', response, responseCode = 0, message }: SmtpError): Attempt {
  const isPermanent = responseCode >= 500 && responseCode < 600;
  if (isPermanent && command === 'RCPT TO')
    return { result: 'address refused', response: response ?? message };
  if (isPermanent && /^(MAIL FROM|DATA)/.test(command)) {
    return { result: 'mail refused', response: response ?? message };
  }
  // nodemailer itself refuses an address that cannot be written in SMTP.
  if (code === 'EENVELOPE' && responseCode === 0) return { result: 'address refused', response: message };
  return { result: 'unavailable', error: `${code ?? 'ERROR'}: ${response ?? message}` };
}
