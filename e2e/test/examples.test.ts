/** The applications in examples/, as their READMEs start them. They are killed by kill -9 and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Account,
  balanceOf,
  eventually,
  openAccount,
  people,
  provenLedger,
  readDemo,
} from '../src/platform.ts';
import { crash } from '../src/processes.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const demo = readDemo();
const { operator, alice, bob } = people(demo);
const folder = mkdtempSync(join(tmpdir(), 'payflowx-examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

function start(program: string, args: string[], cwd: string, env: Record<string, string>) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program, args, { cwd: join(root, cwd), env: { PATH, HOME, ...env } });
  return { child, ended: ended(child) };
}

function ended(child: ChildProcess): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (output.stdout += chunk));
  child.stderr?.on('data', (chunk) => (output.stderr += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

describe('payouts', () => {
  const SELLERS = 200;
  const SELLER_ACCOUNTS = 10;
  let from: Account;
  let sellers: Account[];
  beforeAll(async () => {
    from = await openAccount(operator, alice.user, 1_000_000);
    sellers = [];
    for (let n = 0; n < SELLER_ACCOUNTS; n += 1) sellers.push(await openAccount(operator, bob.user, 0));
  });

  it('pays 200 sellers once each, although the script and a gateway are killed', async () => {
    const payouts = Array.from({ length: SELLERS }, (_, n) => ({
      line: `seller-${n},${sellers[n % SELLER_ACCOUNTS]?.id},${100 + n}`,
      amount: 100 + n,
    }));
    const file = join(folder, 'payouts.csv');
    const report = join(folder, 'report.csv');
    writeFileSync(file, ['seller,account,amount', ...payouts.map(({ line }) => line), ''].join('\n'));
    const run = `run-${from.id.slice(-8)}`;
    const play = () =>
      start('python3', ['payouts.py', run, file, report], 'examples/payouts', {
        GATEWAY: demo.gateway,
        FROM_ACCOUNT: from.id,
        PAYFLOWX_USER: alice.user.username,
        PAYFLOWX_PASSWORD: alice.user.password,
      });
    const paid = async () => 1_000_000 - (await balanceOf(alice, from.id)).posted;

    for (const share of [0.1, 0.4]) {
      const { child, ended } = play();
      const wanted = share * payouts.reduce((sum, { amount }) => sum + amount, 0);
      await eventually(async () => expect(await paid()).toBeGreaterThan(wanted), { everyMs: 20 });
      child.kill('SIGKILL');
      expect((await ended).signal).toBe('SIGKILL');
      expect(existsSync(report)).toBe(false);
    }
    const last = play();
    await crash('gateway');
    expect(await last.ended).toMatchObject({ code: 0, stdout: `${SELLERS} paid, 0 failed\n` });

    expect(await paid()).toBe(payouts.reduce((sum, { amount }) => sum + amount, 0));
    const lines = readFileSync(report, 'utf8').trim().split('\r\n').slice(1);
    expect(lines).toHaveLength(SELLERS);
    expect(new Set(lines.map((line) => line.split(',')[1])).size).toBe(SELLERS);
    const listed: string[] = [];
    const query = { from_account: from.id, reference_prefix: `payout/${run}/` };
    for await (const payment of alice.api.list('/v1/payments', { params: { query } })) {
      expect(payment.state).toBe('COMPLETED');
      listed.push(payment.id);
    }
    expect(listed).toHaveLength(SELLERS);
  });
});

describe('the shop', () => {
  it('ships and refunds once, although each command is killed', async () => {
    const [from, to] = await Promise.all([
      openAccount(operator, alice.user, 10_000),
      openAccount(operator, bob.user, 0),
    ]);
    const env = {
      GATEWAY: demo.gateway,
      ...{ BUYER_USER: 'alice', BUYER_PASSWORD: alice.user.password, BUYER_ACCOUNT: from.id },
      ...{ SHOP_USER: 'bob', SHOP_PASSWORD: bob.user.password, SHOP_ACCOUNT: to.id },
    };
    const order = `order-${from.id.slice(-8)}`;
    const shop = (...args: string[]) =>
      start(process.execPath, ['--conditions=payflowx-source', 'shop.ts', ...args], 'examples/shop', env);
    /** Kills it later and later, until it is done before it is killed. Then it has been killed in every phase. */
    const killedOften = async (...args: string[]) => {
      for (let afterMs = 300; ; afterMs += 150) {
        const { child, ended } = shop(...args);
        const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
        const { code, signal, stdout, stderr } = await ended;
        clearTimeout(timer);
        if (signal === 'SIGKILL') continue;
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        return JSON.parse(stdout);
      }
    };

    expect(await killedOften('checkout', order, '5000')).toMatchObject({
      state: 'AUTHORIZED',
      amount: 5_000,
    });
    expect(await killedOften('ship', order, 'parcel-1', '2000')).toMatchObject({
      state: 'PARTIALLY_CAPTURED',
      amount_captured: 2_000,
    });
    expect(await killedOften('ship', order, 'parcel-2', '1500', 'last')).toMatchObject({
      state: 'COMPLETED',
      amount_captured: 3_500,
    });
    expect(await killedOften('refund', order, 'return-1', '500')).toMatchObject({
      state: 'PARTIALLY_REFUNDED',
      amount_refunded: 500,
    });
    expect(await balanceOf(alice, from.id)).toEqual({ posted: 7_000, held: 0, available: 7_000 });
    expect(await balanceOf(bob, to.id)).toEqual({ posted: 3_000, held: 0, available: 3_000 });

    const late = await shop('ship', order, 'parcel-3', '100').ended;
    expect({ code: late.code, stderr: late.stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^INVALID_STATE/),
    });
  });
});

describe('the session of an operator', () => {
  it('does each thing once, although it is killed, and sees that the books are right', async () => {
    await provenLedger(operator);
    const name = `Cash ${crypto.randomUUID()}`;
    const env = {
      GATEWAY: demo.gateway,
      OPERATOR_PASSWORD: operator.user.password,
      OWNER: alice.user.id,
      PAYFLOWX_HOME: join(folder, 'operator'),
      PATH: `${join(root, 'cli/bin')}:${process.env.PATH}`,
    };
    const session = () => start('bash', ['session.sh', name], 'examples/operator', env);
    const killed = session();
    await eventually(async () => {
      const { data } = (await operator.get('/v1/accounts?limit=20')).body;
      expect(data.map((account: Account) => account.name)).toContain(name);
    });
    killed.child.kill('SIGKILL');
    await killed.ended;

    const { code, stdout, stderr } = await session().ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const id = /^account +(acct_\S+)$/m.exec(stdout)?.[1] ?? '';
    expect(stdout).toMatch(/^deposit +pay_\S+ COMPLETED\nstatus +FROZEN\nstatus +ACTIVE$/m);
    expect(stdout).toMatch(/^proof +holds$/m);
    expect(await balanceOf(operator, id)).toMatchObject({ posted: 12_000 });
  });
});
