/** The alerts about requests, money and events fire and clear: each test causes the condition on the running platform. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, eventually, openAccount, provenLedger, reconciled } from '../../e2e/src/platform.ts';
import { runIn, startProcess, stopProcess, stopService } from '../../e2e/src/processes.ts';
import { local } from '../../infra/src/paths.ts';
import { createCertificate, readIdentity, uriOf } from '../../infra/src/tls/certificates.ts';
import { inDatabase, keepDoing, keepOpen, pidsOf, who } from './platform.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

let prometheus: Prometheus;
let from: Account;
let to: Account;

beforeAll(async () => {
  [from, to] = [
    await openAccount(who.operator, who.alice.user, 1_000_000),
    await openAccount(who.operator, who.bob.user, 0),
  ];
  prometheus = await startPrometheus();
});
afterAll(() => prometheus?.stop());

const askAnalytics = () => who.operator.get('/v1/analytics/summary');

async function pay(): Promise<void> {
  const body = { from_account: from.id, to_account: to.id, amount: 100, currency: 'EUR' };
  await who.alice.api.post('/v1/payments', { body });
}

it('requests fail because a service does not run', async () => {
  let start: () => Promise<void> = async () => undefined;
  const end = keepDoing(askAnalytics);
  try {
    await prometheus.fires(
      ['ErrorBudgetBurnsFast', 'ErrorBudgetBurnsSlowly', 'ProcessDown'],
      async () => {
        start = await stopService('analytics');
      },
      () => start(),
    );
  } finally {
    await end();
  }
});

it('requests are slow because a service stands still again and again', async () => {
  const pids = await pidsOf('analytics');
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids) process.kill(pid, name);
  };
  // Shorter than the time after which the gateway leaves a hung instance.
  const stumble = async () => {
    signal('SIGSTOP');
    try {
      await pause(700);
    } finally {
      signal('SIGCONT');
    }
    await pause(300);
  };
  // Each waits for nearly a whole stop, and hardly repeats between two of them.
  const end = keepDoing(askAnalytics, { width: 4, pauseMs: 200 });
  let endStumbling: () => Promise<void> = async () => undefined;
  try {
    await prometheus.fires(
      ['LatencyBudgetBurnsFast', 'LatencyBudgetBurnsSlowly'],
      async () => {
        endStumbling = keepDoing(stumble, { width: 1, pauseMs: 0 });
      },
      () => endStumbling(),
    );
  } finally {
    await end();
  }
});

it('a kept balance of the ledger is wrong by one minor unit', async () => {
  await provenLedger(who.auditor);
  const change = (by: number) =>
    inDatabase(
      'ledger',
      `update balances set posted_minor = posted_minor + ${by} where account_id = '${from.id}'`,
    );
  const check = async () => {
    await who.auditor.get('/v1/ledger/proof');
    // A service that the test before has stopped may not be reachable yet.
    await eventually(() => who.operator.api.post('/v1/ledger/reconciliations', { body: {} }));
  };
  await prometheus.fires(
    ['ProofDoesNotHold', 'ReconciliationDiffers'],
    async () => {
      await change(1);
      await check();
    },
    async () => {
      await change(-1);
      await check();
    },
  );
  await provenLedger(who.auditor);
  await reconciled(who.operator);
});

it('events wait in the outbox because Kafka does not run', async () => {
  await prometheus.fires(
    ['OutboxTooOld'],
    async () => {
      await stopProcess('kafka');
      await pay();
    },
    () => startProcess('kafka'),
  );
  await provenLedger(who.auditor);
});

it('the ledger cannot apply messages because its journal is locked', async () => {
  let unlock: () => Promise<void> = async () => undefined;
  await prometheus.fires(
    ['ConsumerTooFarBehind'],
    async () => {
      unlock = await keepOpen('ledger', 'lock table transactions in exclusive mode');
      await pay();
    },
    () => unlock(),
  );
  await provenLedger(who.auditor);
});

it('a message cannot be decoded', async () => {
  const queue = 'payment-notifications';
  await prometheus.fires(
    ['DeadLetters'],
    () =>
      inRabbit(
        'payment',
        `await channel.sendToQueue('${queue}', Buffer.from('no event'), { messageId: 'x', type: 'x' })`,
      ),
    // The alert clears with time. The dead letter would stay.
    () =>
      inRabbit(
        'notification',
        `const letter = await channel.get('${queue}.dlq', { noAck: false }); if (letter) channel.ack(letter)`,
      ),
  );
});

/** Runs code with a channel of RabbitMQ, in the name of a service. */
async function inRabbit(service: string, code: string): Promise<void> {
  const program = `
    const amqp = require('amqplib');
    const { readFileSync } = require('node:fs');
    const { RABBITMQ_URL, RABBITMQ_URL_FILE, RABBITMQ_CA_FILE } = process.env;
    const url = RABBITMQ_URL || readFileSync(RABBITMQ_URL_FILE, 'utf8').trim();
    const ca = RABBITMQ_CA_FILE ? [readFileSync(RABBITMQ_CA_FILE)] : undefined;
    amqp.connect(url, { ca }).then(async (connection) => {
      const channel = await connection.createConfirmChannel();
      ${code};
      await channel.waitForConfirms();
      await channel.close();
      await connection.close();
    }).catch((error) => { console.error(error); process.exit(1); });`;
  await runIn(service, 'node', '-e', program);
}

it('Kafka refuses an event for ever, because it cannot be decoded', async () => {
  await prometheus.fires(
    ['OutboxDeadLetters'],
    async () => {
      await inDatabase(
        'payment',
        `insert into outbox (destination, event_count, keys, events) values ('payment-events', 1, '{broken}', '\\x00');
         notify outbox, 'payment-events'`,
      );
    },
    () =>
      inDatabase('payment', `delete from outbox_dead_letters where keys = '{broken}' or events = '\\x00'`),
  );
});

it('a certificate is not renewed', async () => {
  const folder = join(local, 'tls/services');
  const file = join(folder, 'analytics.pem');
  const current = await readFile(file, 'utf8');
  const authority = await readIdentity(await readFile(join(folder, 'authority.pem'), 'utf8'));
  const uri = uriOf(await readIdentity(current)) ?? '';
  const almostAYearAgo = new Date(Date.now() - 350 * 24 * 60 * 60 * 1_000);
  const old = await createCertificate(authority, { name: 'analytics', uri }, almostAYearAgo);
  const replace = async (pem: string) => {
    await writeFile(`${file}.new`, pem, { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  await prometheus.fires(
    ['CertificateExpiresSoon'],
    () => replace(old.pem),
    () => replace(current),
  );
  expect((await askAnalytics()).status).toBe(200);
});
