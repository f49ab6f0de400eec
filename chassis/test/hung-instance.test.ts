/** Two instances in processes of their own, one of them frozen: whom it hurts, for how long, and what happens when it goes on. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause, setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { AuthServiceClient, type AuthServiceService } from '@payflowx/proto/auth';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectGrpc, type Neighbour } from '../src/index.ts';

interface Instance {
  process: ChildProcess;
  port: number;
}

let instances: [Instance, Instance];
let auth: Neighbour<AuthServiceService>;

beforeAll(async () => {
  instances = await Promise.all([startInstance('one'), startInstance('two')]);
  const addresses = instances.map(({ port }) => `127.0.0.1:${port}`);
  auth = connectGrpc(AuthServiceClient, {
    target: `ipv4:${addresses.join(',')}`,
    retryable: ['getMe', 'getJwks'],
  });
});
beforeEach(bothAnswer);
afterEach(() => {
  for (const { process } of instances) process.kill('SIGCONT');
});
afterAll(() => {
  auth.close();
  for (const { process } of instances) process.kill('SIGKILL');
});

async function startInstance(name: string): Promise<Instance> {
  const child = fork(fileURLToPath(new URL('instance-process.ts', import.meta.url)), {
    env: { ...process.env, INSTANCE: name },
  });
  const [{ port }] = await once(child, 'message');
  return { process: child, port };
}

/** Far above what is measured, and far below a deadline: a slow machine passes, a call that waits for its deadline does not. */
const deadlineMs = 30_000;

async function answering(): Promise<string> {
  const { user } = await auth.getMe({}, { deadlineMs });
  return user?.username ?? '';
}

async function bothAnswer(): Promise<void> {
  const names = async () => new Set([await answering(), await answering()]);
  await expect.poll(names, { timeout: 10_000 }).toEqual(new Set(['one', 'two']));
}

it('that stalls holds no more calls than its neighbour, and is not taken out for being slow', async () => {
  instances[0].process.send('stall');
  const names: string[] = [];
  // As a batcher does it: four places for calls, and a place is free again when its call has ended.
  const places = Array.from({ length: 4 }, async () => {
    for (let calls = 0; calls < 50; calls += 1) names.push(await answering());
  });
  // Two places wait for the stalled instance. The other two are enough for all that is to be done.
  await Promise.race(places);
  await expect.poll(() => names.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(100);
  expect(new Set(names)).toEqual(new Set(['two']));
  instances[0].process.send('answer');
  await Promise.all(places);
  expect(new Set(names)).toEqual(new Set(['one', 'two']));
});

it('that is frozen is left, and its calls are answered by its neighbour', async () => {
  instances[0].process.kill('SIGSTOP');
  const names = await Promise.all(Array.from({ length: 10 }, answering));
  expect(new Set(names)).toEqual(new Set(['two']));
});

it('that was frozen is back in rotation when it goes on', async () => {
  instances[0].process.kill('SIGSTOP');
  expect(new Set(await Promise.all([answering(), answering(), answering()]))).toEqual(new Set(['two']));
  instances[0].process.kill('SIGCONT');
  await bothAnswer();
});

it('is not told from a pause of our own process, and the calls are answered all the same', async () => {
  instances[0].process.kill('SIGSTOP');
  // Larger than HTTP/2 sends unasked: only the beginning of an answer is there when we look again.
  const calls = Array.from({ length: 10 }, () => auth.getJwks({}, { deadlineMs }));
  // By then a probe of the frozen instance is on its way.
  await pause(600);
  instances[0].process.kill('SIGCONT');
  // Its answers come while we look at nothing, and the probe's time runs out. From here Node looks at timers before it looks at sockets.
  await setImmediate();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
  await Promise.all(calls);
});

it('that is frozen fails a call that must not be repeated, long before its deadline, and nobody repeats it', async () => {
  for (const { process } of instances) process.kill('SIGSTOP');
  const startedAt = performance.now();
  await expect(auth.login({ username: '', password: '' }, { deadlineMs })).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
  expect(performance.now() - startedAt).toBeLessThan(deadlineMs / 2);
  for (const { process } of instances) process.kill('SIGCONT');
  await bothAnswer();
  const logins = await Promise.all([auth.getMe({}, { deadlineMs }), auth.getMe({}, { deadlineMs })]);
  // The one that it was sent to may do it yet, when it goes on.
  expect(logins.reduce((sum, { user }) => sum + Number(user?.id), 0)).toBeLessThanOrEqual(1);
});

it('is waited for where all are frozen', async () => {
  for (const { process } of instances) process.kill('SIGSTOP');
  const calls = [answering(), answering(), answering()];
  instances[1].process.kill('SIGCONT');
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['two']));
});
