import { afterEach, describe, expect, it } from 'vitest';
import { mailWith } from '../src/inbox.ts';
import { confirmAddress, createMailedUser } from '../src/mailed-user.ts';
import { eventually, paymentOf, people } from '../src/platform.ts';
import { pidOf, startProcess, stopProcess } from '../src/processes.ts';
import { expectStatus } from '../src/rest.ts';
import { expectAllSettled, payAll, prepare } from '../src/workload.ts';

const who = people();
const stopped: string[] = [];
afterEach(async () => {
  for (const server of stopped.splice(0)) await startProcess(server);
});

describe('payments continue', () => {
  it.each([[['kafka', 'rabbitmq']], [['consul']]])(
    'while %j are stopped, and all events arrive after the restart',
    async (servers) => {
      const workload = await prepare(who, 20);
      for (const server of servers) {
        await stopProcess(server);
        stopped.push(server);
      }
      const ids = await payAll(who, workload);
      for (const id of ids) {
        expect((await paymentOf(who.alice, id)).state).toBe('COMPLETED');
      }
      for (const server of stopped.splice(0)) await startProcess(server);
      await expectAllSettled(who, workload, ids);
    },
  );
});

/** `kill 0` ends the caller's own process group. A tool that printed 0 would make its user do that. */
it('a stopped process has no pid, not even 0', async () => {
  await stopProcess('analytics');
  stopped.push('analytics');
  await expect(pidOf('analytics')).rejects.toThrow("'analytics' is not running");
});

it('a payment made while the mail server is stopped is mailed after its restart', async () => {
  const dora = await createMailedUser('dora');
  await confirmAddress(dora);
  await stopProcess('mail');
  stopped.push('mail');
  const paid = await dora.getPaid();
  const waiting = await eventually(async () => {
    const { data } = expectStatus(
      await who.operator.get(`/v1/mails?user_id=${dora.session.user.id}&limit=1`),
      200,
    );
    expect(data[0]).toMatchObject({ payment_id: paid, state: 'pending', attempts: 1 });
    return data[0];
  });
  stopped.splice(0);
  await startProcess('mail');
  const mail = await mailWith(dora.address, paid);
  expect(mail.headers['message-id']).toBe(waiting.message_id);
});
