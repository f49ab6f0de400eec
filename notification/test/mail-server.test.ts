import type { SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, it } from 'vitest';
import { connectMailServer, type MailServer, type MailServerSettings } from '../src/clients/mail-server.ts';
import {
  selfSigned,
  smtpError,
  startMailServer,
  startSocketServer,
  type TestMailServer,
} from './smtp-servers.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const certificate = selfSigned();

async function withServer(options: SMTPServerOptions = {}): Promise<TestMailServer> {
  const server = await startMailServer(options);
  open.push(server);
  return server;
}

function client({ url }: { url: string }, settings: Partial<MailServerSettings> = {}): MailServer {
  const made = connectMailServer({
    url,
    startTls: 'off',
    ca: undefined,
    connections: 1,
    from: { name: 'PayFlowX', address: 'no-reply@payflowx.example' },
    ...settings,
  });
  open.push(made);
  return made;
}

const mail = { id: 'mail_1', to: 'bob@example.org', subject: 'Grüße', text: 'Hallo', html: '<p>Hallo</p>' };

it('sends text and HTML, with a Message-ID from the id of the mail, again and again over one connection', async () => {
  let connections = 0;
  const server = await withServer({
    onConnect(_, callback) {
      connections += 1;
      callback();
    },
  });
  const sender = client(server);
  expect(await sender.send(mail)).toEqual({ result: 'accepted' });
  expect(await sender.send(mail)).toEqual({ result: 'accepted' });
  expect(connections).toBe(1);
  expect(server.received).toHaveLength(2);
  for (const { from, to, source } of server.received) {
    expect([from, to]).toEqual(['no-reply@payflowx.example', ['bob@example.org']]);
    expect(source).toContain('Message-ID: <mail_1@payflowx.example>\r\n');
    expect(source).toContain('Auto-Submitted: auto-generated\r\n');
    expect(source).toMatch(/multipart\/alternative/);
  }
});

it('sends nothing, and no password, to a server that does not offer the required STARTTLS', async () => {
  const passwords: unknown[] = [];
  const server = await withServer({
    onAuth: ({ username, password }, _, callback) =>
      callback(null, { user: `${passwords.push(username, password)}` }),
    allowInsecureAuth: true,
  });
  const url = server.url.replace('//', '//payflowx:secret@');
  expect(await client({ url }, { startTls: 'required' }).send(mail)).toMatchObject({ result: 'unavailable' });
  expect([passwords, server.received]).toEqual([[], []]);
});

it('encrypts by STARTTLS and logs in with the password of the URL', async () => {
  const { key, cert } = await certificate;
  const server = await withServer({
    ...{ key, cert },
    authOptional: false,
    onAuth({ username, password }, _, callback) {
      if (password === 'p@ss:word') callback(null, { user: username ?? '' });
      else callback(smtpError(535, 'wrong password'));
    },
  });
  const url = (password: string) => ({
    url: server.url.replace('//', `//payflowx:${encodeURIComponent(password)}@`),
  });
  const tls = { startTls: 'required', ca: cert } as const;
  expect(await client(url('p@ss:word'), tls).send(mail)).toEqual({ result: 'accepted' });
  expect(server.received).toMatchObject([{ isEncrypted: true, user: 'payflowx' }]);
  // A wrong password is a mistake of the configuration. The mails wait until it is corrected.
  expect(await client(url('wrong'), tls).send(mail)).toMatchObject({ result: 'unavailable' });
});

it('does not trust a certificate of an unknown authority', async () => {
  const server = await withServer(await certificate);
  const sender = client(server, { startTls: 'required' });
  expect(await sender.send(mail)).toMatchObject({
    result: 'unavailable',
    error: expect.stringContaining('certificate'),
  });
  expect(server.received).toEqual([]);
});

it.each<[string, SMTPServerOptions, object]>([
  [
    'a refused address',
    { onRcptTo: (_, __, callback) => callback(smtpError(550, '5.1.1 no such user')) },
    { result: 'address refused', response: '550 5.1.1 no such user' },
  ],
  [
    'an address that is busy now',
    { onRcptTo: (_, __, callback) => callback(smtpError(450, '4.2.1 greylisted')) },
    { result: 'unavailable', error: expect.stringContaining('450 4.2.1 greylisted') },
  ],
  [
    'a refused sender',
    { onMailFrom: (_, __, callback) => callback(smtpError(553, 'not here')) },
    { result: 'mail refused', response: '553 not here' },
  ],
  [
    'a refused content',
    {
      onData(stream, _, callback) {
        stream.resume();
        stream.on('end', () => callback(smtpError(554, '5.7.1 spam')));
      },
    },
    { result: 'mail refused', response: '554 5.7.1 spam' },
  ],
  [
    'a full disk',
    {
      onData(stream, _, callback) {
        stream.resume();
        stream.on('end', () => callback(smtpError(452, '4.3.1 full')));
      },
    },
    { result: 'unavailable', error: expect.stringContaining('452 4.3.1 full') },
  ],
])('reports %s', async (_, options, expected) => {
  const sender = client(await withServer(options));
  expect(await sender.send(mail)).toEqual(expected);
  // The connection works for the next mail.
  expect(await sender.send(mail)).toEqual(expected);
});

it.each<[string, (socket: import('node:net').Socket) => void]>([
  ['never greets', () => undefined],
  ['closes at once', (socket) => socket.end()],
  ['resets the connection', (socket) => socket.resetAndDestroy()],
  ['greets and then hangs', (socket) => socket.write('220 test ESMTP\r\n')],
  ['answers nonsense', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('counts a server that %s as unavailable', async (_, behaviour) => {
  const server = await startSocketServer(behaviour);
  open.push(server);
  const limits = { connectMs: 200, silenceMs: 200 };
  expect(await client(server, { limits }).send(mail)).toMatchObject({ result: 'unavailable' });
});

it('counts a server that hangs after the content as unavailable: the mail may have arrived', async () => {
  const server = await withServer({ onData: (stream) => void stream.resume() });
  const sender = client(server, { limits: { silenceMs: 300 } });
  expect(await sender.send(mail)).toMatchObject({ result: 'unavailable' });
});

it('ends a mail to a server that is slow without end', async () => {
  const server = await startSocketServer((socket) => {
    const timer = setInterval(() => socket.write('220-still starting\r\n'), 50);
    socket.on('close', () => clearInterval(timer));
  });
  open.push(server);
  const sender = client(server, { limits: { wholeMs: 500, silenceMs: 10_000 } });
  expect(await sender.send(mail)).toMatchObject({ result: 'unavailable' });
});

it.each([
  'bob@example.org\r\nRCPT TO:<eve@example.org>',
  'bob@example.org>\r\nRCPT TO:<eve@example.org',
  'bob@example.org,eve@example.org',
  '"Bob" <bob@example.org>',
  'bob <eve@example.org>',
  'friends: bob@example.org;',
  'bob@example.org (eve@example.org)',
  '',
])('refuses an address that could be read as another one, or as several: %j', async (to) => {
  const server = await withServer();
  expect(await client(server).send({ ...mail, to })).toMatchObject({ result: 'address refused' });
  expect(server.received).toEqual([]);
});

it.each([
  "o'hara+bank@example.org",
  'müller@example.org',
  'bob@bücher.example',
  'a!#$%&*/=?^_`{|}~b@example.org',
])('sends to %s', async (to) => {
  const server = await withServer();
  expect(await client(server).send({ ...mail, to })).toEqual({ result: 'accepted' });
  expect(server.received).toHaveLength(1);
});

it.each(['Hello\r\nBcc: eve@example.org', 'Hello\nBcc: eve@example.org', 'a\u2028b\r\n\r\nbody'])(
  'adds no header for a subject with line breaks: %j',
  async (subject) => {
    const server = await withServer();
    expect(await client(server).send({ ...mail, subject })).toEqual({ result: 'accepted' });
    const [headers = ''] = (server.received[0]?.source ?? '').split('\r\n\r\n');
    expect(headers).not.toMatch(/^bcc:/im);
    expect(server.received[0]?.to).toEqual(['bob@example.org']);
  },
);
