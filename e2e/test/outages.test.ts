import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProcess, stopProcess } from '../src/processes.ts';
import { expectStatus } from '../src/rest.ts';
import { expectAllSettled, type People, payAll, people, prepare } from '../src/workload.ts';

let who: People;
const stopped: string[] = [];
beforeEach(async () => {
  who = await people();
});
afterEach(async () => {
  for (const server of stopped.splice(0)) await startProcess(server);
});

describe('payments go on', () => {
  it.each([[['kafka', 'rabbitmq']], [['consul']]])(
    'while %j are stopped, and everything arrives when they are back',
    async (servers) => {
      const workload = await prepare(who, 20);
      for (const server of servers) {
        await stopProcess(server);
        stopped.push(server);
      }
      const ids = await payAll(who, workload);
      for (const id of ids) {
        expect(expectStatus(await who.alice.get(`/v1/payments/${id}`), 200).state).toBe('COMPLETED');
      }
      for (const server of stopped.splice(0)) await startProcess(server);
      await expectAllSettled(who, workload, ids);
    },
  );
});
