/** The command `payflowx` as a process: its output, its files and its exit codes. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { verifyWebhook } from '@payflowx/client';
import { TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { openTerminal, type Terminal, terminalOf } from '../src/command.ts';
import {
  type Account,
  balanceOf,
  eventually,
  openAccount,
  people,
  provenLedger,
  readDemo,
} from '../src/platform.ts';

const demo = readDemo();
const { operator, auditor, alice, bob } = people(demo);

let from: Account;
let to: Account;
let asAlice: Terminal;
let asOperator: Terminal;
let asAuditor: Terminal;
const open: Terminal[] = [];

beforeAll(async () => {
  [from, to] = await Promise.all([
    openAccount(operator, alice.user, 100_000, { limits: { per_payment: 50_000 } }),
    openAccount(operator, bob.user, 0),
  ]);
  const users = [alice.user, operator.user, auditor.user];
  open.push(...(await Promise.all(users.map((user) => terminalOf(demo.gateway, user)))));
  [asAlice, asOperator, asAuditor] = open as [Terminal, Terminal, Terminal];
});
afterAll(() => {
  for (const terminal of open) terminal.close();
});

const pay = (...more: string[]) => ['payments', 'create', '--from', from.id, '--to', to.id, ...more];
const file = ({ home }: Terminal, name: string, content: string) => {
  writeFileSync(join(home, name), content);
  return join(home, name);
};

describe('a login', () => {
  it('is stored in a file for its owner only, and ends with logout', async () => {
    const terminal = await terminalOf(demo.gateway, bob.user);
    const stored = join(terminal.home, 'contexts', 'default.json');
    expect(statSync(stored).mode & 0o777).toBe(0o600);
    expect(statSync(join(terminal.home, 'contexts')).mode & 0o777).toBe(0o700);
    expect(readFileSync(stored, 'utf8')).not.toContain(bob.user.password);
    expect((await terminal.run('whoami', '-o', 'json')).json()).toMatchObject({ username: 'bob' });
    expect((await terminal.run('logout')).exitCode).toBe(0);
    const { exitCode, stderr } = await terminal.run('whoami');
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('payflowx login')]);
    terminal.close();
  });

  it('with a wrong password exits with 3 and stores nothing', async () => {
    const terminal = openTerminal();
    const login = ['login', '--gateway', demo.gateway, '--user', 'bob', '--password-stdin'];
    const { exitCode, stderr } = await terminal.runWith('wrong', ...login);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('INVALID_CREDENTIALS')]);
    expect(readdirSync(terminal.home)).toEqual([]);
    terminal.close();
  });

  it('takes the code of a second factor', async () => {
    const user = { username: `second-${randomUUID()}`, password: randomUUID() };
    const { data } = await operator.api.post('/v1/users', { body: { ...user, roles: ['customer'] } });
    const terminal = await terminalOf(demo.gateway, { ...user, id: data.id, roles: ['customer'] });
    const token = JSON.parse(readFileSync(join(terminal.home, 'contexts', 'default.json'), 'utf8')).session
      .accessToken;
    const send = async (path: string, body: object) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const answer = await fetch(`${demo.gateway}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return (await answer.json()) as { factor: { id: string }; secret: string; recovery_codes: string[] };
    };
    const made = await send('/v1/auth/second-factors', { kind: 'totp', name: 'Phone' });
    const code = new TOTP({ secret: made.secret }).generate();
    const { recovery_codes } = await send(`/v1/auth/second-factors/${made.factor.id}/confirm`, { code });

    const login = ['login', '--user', user.username, '--password-stdin'];
    const without = await terminal.runWith(user.password, ...login);
    expect([without.exitCode, without.stderr]).toEqual([2, expect.stringContaining('--code')]);
    // The code of the authenticator was used for the confirmation, so a recovery code is used here.
    const { exitCode, stderr } = await terminal.runWith(
      user.password,
      ...login,
      '--code',
      recovery_codes[0] ?? '',
    );
    expect([exitCode, stderr]).toEqual([0, '']);
    terminal.close();
  });

  it('is renewed before it expires, also by two commands at once', async () => {
    const terminal = await terminalOf(demo.gateway, bob.user);
    const stored = join(terminal.home, 'contexts', 'default.json');
    for (let round = 0; round < 2; round += 1) {
      const context = JSON.parse(readFileSync(stored, 'utf8'));
      writeFileSync(stored, JSON.stringify({ ...context, session: { ...context.session, expiresAt: 0 } }));
      const both = await Promise.all([terminal.run('whoami'), terminal.run('whoami')]);
      expect(both.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
        [0, ''],
        [0, ''],
      ]);
    }
    terminal.close();
  });

  it('belongs to its context: several platforms, one current', async () => {
    const terminal = await terminalOf(demo.gateway, bob.user);
    const login = ['login', '-c', 'second', '-g', demo.gateway, '-u', 'alice', '--password-stdin'];
    await terminal.runWith(alice.user.password, ...login);
    const contexts = (await terminal.run('contexts', 'list', '-o', 'json')).json();
    expect(contexts).toMatchObject([
      { name: 'default', username: 'bob', current: false },
      { name: 'second', username: 'alice', current: true },
    ]);
    await terminal.run('contexts', 'use', 'default');
    expect((await terminal.run('whoami')).stdout).toContain('bob');
    expect((await terminal.run('whoami', '--context', 'second')).stdout).toContain('alice');
    expect((await terminal.run('whoami', '--context', 'third')).exitCode).toBe(2);
    // Another platform never gets this login.
    expect((await terminal.run('whoami', '--gateway', 'http://127.0.0.1:9')).exitCode).toBe(3);
    terminal.close();
  });
});

describe('payments', () => {
  it('are paid once with one key, in the decimals of the currency', async () => {
    const before = await balanceOf(alice, from.id);
    const key = randomUUID();
    const create = pay('--amount', '12.50', '--reference', 'order-7', '--key', key, '-o', 'json');
    const [first, second] = [await asAlice.run(...create), await asAlice.run(...create)];
    expect(first.json()).toMatchObject({ state: 'COMPLETED', amount: 1_250, currency: 'EUR' });
    expect(second.json()).toEqual(first.json());
    expect(before.posted - (await balanceOf(alice, from.id)).posted).toBe(1_250);

    const { id } = first.json();
    const shown = await asAlice.run('payments', 'get', id);
    expect(shown.stdout).toMatch(/amount +12\.50 EUR/);
    const listed = await asAlice.run(
      'payments',
      'list',
      '--account',
      from.id,
      '--min',
      '12.50',
      '--max',
      '12.50',
      '--currency',
      'EUR',
    );
    expect(listed.stdout).toMatch(new RegExp(`^ID +KIND[\\s\\S]*${id} +payment +COMPLETED +12\\.50 EUR`));
    expect((await asAlice.run('payments', 'get', id, '-o', 'yaml')).stdout).toContain(`id: ${id}\n`);
    expect((await asAlice.run('payments', 'get', id, '--timeline')).stdout).toContain('authorization');
  });

  it('are simulated by --dry-run, which changes nothing', async () => {
    const before = await balanceOf(alice, from.id);
    const approved = await asAlice.run(...pay('--amount', '1', '--dry-run'));
    expect([approved.exitCode, approved.stdout]).toEqual([0, expect.stringContaining('Nothing was done')]);
    const declined = await asAlice.run(...pay('--amount', '500.01', '--dry-run'));
    expect([declined.exitCode, declined.stdout]).toEqual([
      6,
      expect.stringContaining('PER_PAYMENT_LIMIT_EXCEEDED'),
    ]);
    expect(await balanceOf(alice, from.id)).toEqual(before);
  });

  it('are captured in part, cancelled, refunded and watched', async () => {
    const held = (await asAlice.run(...pay('--amount', '10', '--capture', 'manual', '-o', 'json'))).json();
    const watching = asAlice.run('payments', 'watch', held.id, '-o', 'json');
    const part = await asAlice.run('payments', 'capture', held.id, '--amount', '4.20', '-o', 'json');
    expect(part.json()).toMatchObject({ state: 'PARTIALLY_CAPTURED', amount_captured: 420 });
    expect((await asAlice.run('payments', 'cancel', held.id, '-o', 'json')).json()).toMatchObject({
      state: 'COMPLETED',
    });
    const states = (await watching).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).state);
    expect(states.at(-1)).toBe('COMPLETED');

    const asBob = await terminalOf(demo.gateway, bob.user);
    open.push(asBob);
    const refund = await asBob.run('payments', 'refund', held.id, '--amount', '4.20', '--reason', 'late');
    expect([refund.exitCode, refund.stdout]).toEqual([0, expect.stringMatching(/amount +4\.20 EUR/)]);
    expect((await asAlice.run('payments', 'capture', held.id)).exitCode).toBe(7);

    const captures = await asBob.run(
      'captures',
      'list',
      '--payment',
      held.id,
      '--state',
      'COMPLETED',
      '-o',
      'json',
    );
    expect(captures.json()).toMatchObject([{ payment_id: held.id, amount: 420 }]);
    const refunds = await asAlice.run('refunds', 'list', '--payment', held.id);
    const [refundId = ''] = /ref_\S+/.exec(refunds.stdout) ?? [];
    expect((await asAlice.run('captures', 'get', captures.json()[0].id)).stdout).toMatch(/amount +4\.20 EUR/);
    expect((await asAlice.run('refunds', 'get', refundId, '-o', 'json')).json()).toMatchObject({
      ...{ id: refundId, payment_id: held.id, amount: 420, reason: 'late' },
    });
  });

  it('are listed by kind, states and metadata, in both orders', async () => {
    const shop = randomUUID();
    const create = (n: string) =>
      asAlice.run(...pay('--amount', n, '--metadata', `shop=${shop}`, '--metadata', `n=${n}`, '-o', 'json'));
    const ids = [(await create('1')).json().id, (await create('2')).json().id];
    const list = async (...more: string[]) =>
      (await asAlice.run('payments', 'list', '--metadata', `shop=${shop}`, '-o', 'json', ...more)).json();
    const idsOf = (payments: { id: string }[]) => payments.map(({ id }) => id);
    expect(idsOf(await list())).toEqual(ids.toReversed());
    expect(idsOf(await list('--order', 'asc'))).toEqual(ids);
    expect(idsOf(await list('--metadata', 'n=2'))).toEqual([ids[1]]);
    expect(idsOf(await list('--state', 'COMPLETED,REFUNDED', '--kind', 'payment'))).toHaveLength(2);
    expect(await list('--kind', 'deposit')).toEqual([]);
    const wrong = await asAlice.run('payments', 'list', '--state', 'DONE');
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('COMPLETED')]);
  });

  it('that Ctrl-C interrupts print their key, and with it are paid once', async () => {
    const before = await balanceOf(alice, from.id);
    let arrived = () => {};
    const sent = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    // The platform pays, and its answer never reaches the command.
    const proxy = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => !/^(host|connection|content-length)$/.test(name)),
      ) as Record<string, string>;
      const { method = '', url = '' } = request;
      const answer = await fetch(`${demo.gateway}${url}`, { method, headers, ...(body && { body }) });
      if (url === '/v1/payments') return arrived();
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(await answer.text());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const gateway = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const env = { PAYFLOWX_GATEWAY: gateway, PAYFLOWX_TOKEN: await alice.api.accessToken() };
    const running = asAlice.start(env, ...pay('--amount', '3', '--description', 'a b'));
    await sent;
    running.interrupt();
    const { exitCode, stderr, stdout } = await running.ended;
    expect([exitCode, stdout]).toEqual([130, '']);
    const [, key = ''] = /--description 'a b' --key (\S+)$/m.exec(stderr) ?? [];
    expect(stderr).toContain('It may have happened.');
    const repeated = await asAlice.run(
      ...pay('--amount', '3', '--description', 'a b'),
      '--key',
      key,
      '-o',
      'json',
    );
    expect(repeated.json()).toMatchObject({ state: 'COMPLETED', amount: 300 });
    expect(before.posted - (await balanceOf(alice, from.id)).posted).toBe(300);
    proxy.closeAllConnections();
    proxy.close();
  });

  it.each<[string, number, () => string[]]>([
    ['a declined payment', 6, () => pay('--amount', '500.01')],
    ['an unknown payment', 5, () => ['payments', 'get', `pay_${randomUUID()}`]],
    ['too many decimals', 2, () => pay('--amount', '1.005')],
    ['a missing option', 2, () => ['payments', 'create', '--from', from.id]],
    ['an unknown command', 2, () => ['payments', 'destroy']],
    ['a role that is not enough', 4, () => ['rules', 'list']],
    ['a platform that does not answer', 3, () => ['whoami', '-g', 'http://127.0.0.1:9']],
  ])('%s exits with %i', async (_, exitCode, args) => {
    const ran = await asAlice.run(...args());
    expect([ran.exitCode, ran.stderr]).toEqual([exitCode, expect.not.stringContaining('    at ')]);
    expect(ran.stderr).not.toBe('');
  });
});

describe('events', () => {
  it('are printed as they happen, and forwarded as signed webhooks', async () => {
    const received: string[] = [];
    const secret = `whsec_${Buffer.from(randomUUID()).toString('base64')}`;
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      // The first attempt fails, and is repeated.
      if (received.push(verifyWebhook(body, request.headers, secret).type) === 1) response.writeHead(500);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const known =
      (await alice.api.get('/v1/events', { params: { query: { limit: 1 } } })).data.data[0]?.id ?? '';
    const { id } = (await asAlice.run(...pay('--amount', '1', '-o', 'json'))).json();
    const one = ['--type', 'payment.completed', '--after', known, '--count', '1', '-o', 'json'];
    const tail = await asAlice.run('events', 'tail', '--payment', id, ...one);
    expect(tail.json()).toMatchObject({ type: 'payment.completed', data: { payment: { id } } });
    const listen = await asAlice.run('webhooks', 'listen', '--forward-to', url, '--secret', secret, ...one);
    expect(listen.json()).toMatchObject({ type: 'payment.completed', status: 200, error: null });
    expect(received).toEqual(['payment.completed', 'payment.completed']);
    server.close();
  });
});

describe('rules', () => {
  it('are checked, planned and applied until they are as in the file', async () => {
    const rule = { name: `cli-${randomUUID()}`, expression: 'false', action: 'shadow', enabled: false };
    const bad = file(
      asOperator,
      'bad.json',
      JSON.stringify([rule, { ...rule, name: 'b', expression: 'payment.amout > 1' }]),
    );
    const linted = await asOperator.run('rules', 'lint', bad);
    expect([linted.exitCode, linted.stdout]).toEqual([9, expect.stringMatching(/amout/)]);

    const good = file(
      asOperator,
      'rules.yaml',
      `name: ${rule.name}\nexpression: "false"\naction: shadow\nenabled: false\n`,
    );
    const apply = async (...more: string[]) =>
      (await asOperator.run('rules', 'apply', '-f', good, '-o', 'json', ...more)).json()[0].change;
    expect(await apply('--dry-run')).toBe('create');
    expect([await apply(), await apply()]).toEqual(['create', 'none']);
    writeFileSync(good, JSON.stringify({ ...rule, message: 'Never.' }));
    expect([await apply('--dry-run'), await apply(), await apply()]).toEqual(['update', 'update', 'none']);
    const backtest = await asOperator.run('rules', 'backtest', good, '-o', 'json');
    expect(backtest.json()[0]).toMatchObject({ name: rule.name, matched_count: 0 });
    expect(
      (await asAuditor.run('rules', 'apply', '-f', file(asAuditor, 'r.json', JSON.stringify(rule)))).exitCode,
    ).toBe(4);
    writeFileSync(good, JSON.stringify({ ...rule, actoin: 'shadow' }));
    expect((await asOperator.run('rules', 'lint', good)).stderr).toContain('unknown field actoin');
  });
});

describe('the ledger', () => {
  it('is proven, and a receipt is verified against a kept head; an altered one is refused', async () => {
    const { id } = (await asAlice.run(...pay('--amount', '2', '-o', 'json'))).json();
    await provenLedger(operator);
    const proof = await asAuditor.run('ledger', 'proof');
    expect([proof.exitCode, proof.stdout]).toEqual([0, expect.stringMatching(/holds +true/)]);

    const [head, receipt] = ['head.json', 'receipt.json'].map((name) => join(asAuditor.home, name)) as [
      string,
      string,
    ];
    await eventually(async () => {
      const { exitCode } = await asAuditor.run('ledger', 'receipt', id);
      expect(exitCode).toBe(0);
    });
    expect((await asAuditor.run('ledger', 'head', '--save', head)).exitCode).toBe(0);
    expect((await asAuditor.run('ledger', 'head', '--save', head)).exitCode, 'it is never overwritten').toBe(
      2,
    );
    await asAuditor.run('ledger', 'receipt', id, '--head', head, '--save', receipt);
    const verified = await asAuditor.run('ledger', 'verify', receipt, '--head', head);
    expect([verified.exitCode, verified.stdout]).toEqual([
      0,
      expect.stringMatching(/transfer +200 +EUR[\s\S]*VERIFIED/),
    ]);

    const altered = readFileSync(receipt, 'utf8').replace(
      /"position": (\d+)/,
      (_, n) => `"position": ${Number(n) + 1}`,
    );
    const refused = await asAuditor.run(
      'ledger',
      'verify',
      file(asAuditor, 'altered.json', altered),
      '--head',
      head,
    );
    expect([refused.exitCode, refused.stderr]).toEqual([9, expect.any(String)]);
  });

  it('is reconciled with the other services', async () => {
    const reconcile = await asOperator.run('reconcile', '-o', 'json');
    expect([0, 9]).toContain(reconcile.exitCode);
    expect(reconcile.json()).toMatchObject({
      id: expect.stringMatching(/^rec_/),
      holds: reconcile.exitCode === 0,
    });
    expect((await asAuditor.run('reconcile', '--list')).stdout).toContain(reconcile.json().id);
  });
});

describe('administration', () => {
  it('changes limits in decimals, freezes and unfreezes', async () => {
    const { id } = await openAccount(operator, bob.user, 0);
    const run = async (...args: string[]) =>
      (await asOperator.run('accounts', ...args, id, '-o', 'json')).json();
    const update = (...more: string[]) => asOperator.run('accounts', 'update', id, '-o', 'json', ...more);
    expect((await update('--daily', '99.90', '--daily-count', '3')).json().limits).toMatchObject({
      daily: 9_990,
      daily_count: 3,
    });
    expect((await update('--daily', 'none')).json().limits).toMatchObject({ daily: null, daily_count: 3 });
    expect((await update('--daily', '1', '--if-version', '1')).exitCode).toBe(7);
    expect(await run('freeze')).toMatchObject({ status: 'FROZEN' });
    expect(await run('unfreeze')).toMatchObject({ status: 'ACTIVE' });
    const statement = await asAlice.run('accounts', 'statement', from.id);
    expect(statement.stdout).toMatch(/credit +1000\.00 EUR +1000\.00 EUR/);
  });

  it('creates users and machines, and shows who did it', async () => {
    const username = `cli-${randomUUID()}`;
    const made = await asOperator.runWith(
      randomUUID(),
      'users',
      'create',
      username,
      '--role',
      'customer',
      '-o',
      'json',
    );
    const { id } = made.json();
    expect(
      (await asOperator.run('users', 'list', '--username', username.toUpperCase(), '-o', 'json')).json(),
    ).toMatchObject([{ id }]);
    const shop = [
      'clients',
      'create',
      'Shop',
      '--user',
      id,
      '--scope',
      'payments:read,payments:write',
      '-o',
      'json',
    ];
    const client = (await asOperator.run(...shop)).json();
    expect(client.client_secret).toEqual(expect.any(String));
    expect((await asOperator.run('clients', 'revoke', client.client.id)).exitCode).toBe(0);
    expect((await asOperator.run('users', 'disable', id, '-o', 'json')).json()).toMatchObject({
      state: 'disabled',
    });
    const audit = await asAuditor.run('audit', 'identities', '--subject', id);
    expect(audit.stdout).toMatch(/user\.disabled[\s\S]*user\.created/);
    expect((await asOperator.run('search', username, '-o', 'json')).json()).toMatchObject([
      { kind: 'user', id },
    ]);
  });

  it('shows the instances, and sends dead letters back', async () => {
    const status = await asAuditor.run('status', '-o', 'json');
    const services = status.json().map(({ service }: { service: string }) => service);
    if (services.length > 0) expect(services).toContain('payment');
    expect((await asOperator.run('dead-letters', 'list', '-o', 'json')).json()).toEqual(expect.any(Array));
    expect((await asOperator.run('dead-letters', 'redrive')).exitCode).toBe(2);
    const redrive = ['dead-letters', 'redrive', '--source', 'payment-outbox', '-o', 'json'];
    expect((await asOperator.run(...redrive)).json()).toEqual({ redriven: 0 });
    expect((await asAuditor.run(...redrive)).exitCode).toBe(4);
    expect((await asAuditor.run('audit', 'dead-letters')).stdout).toContain('payment-outbox');
  });
});

describe('output for programs', () => {
  it.each<[string, () => Terminal, string[]]>([
    ...['payments', 'captures', 'refunds', 'accounts', 'events'].map(
      (group) => [group, () => asAlice, [group, 'list', '-n', '2']] as [string, () => Terminal, string[]],
    ),
    ['deliveries', () => asAlice, ['webhooks', 'deliveries']],
    ['endpoints', () => asAlice, ['webhooks', 'list']],
    ['a person', () => asAlice, ['whoami']],
    ['contexts', () => asAlice, ['contexts', 'list']],
    ['the current context', () => asAlice, ['contexts', 'use', 'default']],
    ['rules', () => asOperator, ['rules', 'list']],
    ['dead letters', () => asOperator, ['dead-letters', 'list']],
    ['users', () => asOperator, ['users', 'list', '-n', '2']],
    ['API clients', () => asOperator, ['clients', 'list', '-n', '2']],
    ['instances', () => asOperator, ['status']],
    ['the pipeline', () => asAuditor, ['pipeline']],
    ['the head', () => asAuditor, ['ledger', 'head']],
    ['reconciliations', () => asAuditor, ['reconcile', '--list', '-n', '2']],
    ['a search', () => asAuditor, ['search', 'alice']],
    ...['accounts', 'payments', 'identities', 'webhooks', 'dead-letters'].map(
      (audit) =>
        [`audit of ${audit}`, () => asAuditor, ['audit', audit, '-n', '2']] as [
          string,
          () => Terminal,
          string[],
        ],
    ),
  ])('is JSON and YAML with the same content: %s', async (_, terminal, args) => {
    const [json, yaml] = [
      await terminal().run(...args, '-o', 'json'),
      await terminal().run(...args, '-o', 'yaml'),
    ];
    expect([json.exitCode, yaml.exitCode]).toEqual([0, 0]);
    const shapeOf = (value: unknown) => (Array.isArray(value) ? 'list' : Object.keys(value as object).sort());
    expect(shapeOf(parseYaml(yaml.stdout))).toEqual(shapeOf(json.json()));
  });
});

describe('completion', () => {
  const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;
  const folder = new URL('../../cli/bin', import.meta.url).pathname;
  const env = () => ({ ...process.env, PATH: `${folder}:${process.env.PATH}`, PAYFLOWX_HOME: asAlice.home });

  it('proposes commands, options and contexts', async () => {
    expect((await asAlice.run('complete', '--', 'payments', 'ref')).stdout).toMatch(/^refund\t/m);
    expect((await asAlice.run('complete', '--', 'contexts', 'use', '')).stdout).toMatch(/^default\t/m);
    expect((await asAlice.run('complete', '--', 'captures', '')).stdout).toMatch(/^list\t[\s\S]*^get\t/m);
  });

  it.skipIf(!isInstalled('fish'))('works in fish like the Tab key', () => {
    const script = "payflowx completion fish | source; complete -C 'payflowx payments ref'";
    const { stdout, stderr } = spawnSync('fish', ['-c', script], { env: env(), encoding: 'utf8' });
    expect(stdout, stderr).toMatch(/^refund\b/m);
  });

  it.skipIf(!isInstalled('zsh'))('is defined for payflowx in zsh', () => {
    const script =
      'autoload -U compinit && compinit -D; source <(payflowx completion zsh); print $_comps[payflowx]';
    const { stdout, stderr } = spawnSync('zsh', ['-c', script], { env: env(), encoding: 'utf8' });
    expect(stdout.trim(), stderr).toBe('_payflowx');
  });
});
