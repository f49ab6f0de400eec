/**
 * Two instances in separate processes, one of them frozen: which calls fail, for how long, and what happens when it continues.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause, setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { AuthServiceClient, type AuthServiceService } from '@payflowx/proto/auth';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectGrpc, type Neighbour } from '../src/index.ts';
import { testCertificates } from '../src/testing/index.ts';

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
    certificates: testCertificates(),
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

/** Far above the measured time, and far below a deadline. A slow machine passes, and a call that waits for its deadline fails. */
const deadlineMs = 30_000;

async function answering(): Promise<string> {
  const { user } = await auth.getMe({}, { deadlineMs });
  return user?.username ?? '';
}

async function bothAnswer(): Promise<void> {
  const names = async () => new Set([await answering(), await answering()]);
  await expect.poll(names, { timeout: 10_000 }).toEqual(new Set(['one', 'two']));
}

it('that stalls has no more calls than the other, and is not taken out for being slow', async () => {
  instances[0].process.send('stall');
  const names: string[] = [];
  // Like a batcher: up to four calls in flight, and the next begins when one ends.
  const places = Array.from({ length: 4 }, async () => {
    for (let calls = 0; calls < 50; calls += 1) names.push(await answering());
  });
  // Two calls wait for the stalled instance. The other two are enough for all the work.
  await Promise.race(places);
  await expect.poll(() => names.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(100);
  expect(new Set(names)).toEqual(new Set(['two']));
  instances[0].process.send('answer');
  await Promise.all(places);
  expect(new Set(names)).toEqual(new Set(['one', 'two']));
});

it('that is frozen is left, and the other one handles its calls', async () => {
  instances[0].process.kill('SIGSTOP');
  const names = await Promise.all(Array.from({ length: 10 }, answering));
  expect(new Set(names)).toEqual(new Set(['two']));
});

it('that was frozen is back in rotation when it continues', async () => {
  instances[0].process.kill('SIGSTOP');
  expect(new Set(await Promise.all([answering(), answering(), answering()]))).toEqual(new Set(['two']));
  instances[0].process.kill('SIGCONT');
  await bothAnswer();
});

it('is not treated as hung after a pause of our own process, and the calls succeed', async () => {
  instances[0].process.kill('SIGSTOP');
  // Larger than the initial window of HTTP/2: only the beginning of a response has arrived at the next read.
  const calls = Array.from({ length: 10 }, () => auth.getJwks({}, { deadlineMs }));
  // By then a probe of the frozen instance is in flight.
  await pause(600);
  instances[0].process.kill('SIGCONT');
  // Its responses arrive while this process is blocked, and the timer of the probe runs out. After this point Node checks timers
  // before sockets.
  await setImmediate();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
  await Promise.all(calls);
});

it('that is frozen fails a call that is not retryable, long before its deadline, and the call is not repeated', async () => {
  for (const { process } of instances) process.kill('SIGSTOP');
  const startedAt = performance.now();
  await expect(auth.login({ username: '', password: '' }, { deadlineMs })).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
  expect(performance.now() - startedAt).toBeLessThan(deadlineMs / 2);
  for (const { process } of instances) process.kill('SIGCONT');
  await bothAnswer();
  const logins = await Promise.all([auth.getMe({}, { deadlineMs }), auth.getMe({}, { deadlineMs })]);
  // The instance that received the call may still run it when it continues.
  expect(logins.reduce((sum, { user }) => sum + Number(user?.id), 0)).toBeLessThanOrEqual(1);
});

it('is waited for if all are frozen', async () => {
  for (const { process } of instances) process.kill('SIGSTOP');
  const calls = [answering(), answering(), answering()];
  instances[1].process.kill('SIGCONT');
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['two']));
});
