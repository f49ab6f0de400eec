import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { connectGrpc } from '@payflowx/chassis';
import { PATIENCE_MS, type TestDatabase, testPageTokenKey } from '@payflowx/chassis/testing';
import { AuthServiceClient } from '@payflowx/proto/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, SEALING_KEY } from './auth-server.ts';

let database: TestDatabase;
const started: ChildProcess[] = [];

beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await database?.drop();
});

function startMain(sealingKey: Buffer) {
  const env = {
    PATH: process.env.PATH,
    NODE_OPTIONS: process.env.NODE_OPTIONS,
    GRPC_PORT: '0',
    POSTGRES_URL: database.url,
    AUTH_SEALING_KEY: sealingKey.toString('base64'),
    PAGE_TOKEN_KEY: testPageTokenKey.toString('base64'),
  };
  const script = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

async function portOf(child: ReturnType<typeof startMain>): Promise<number> {
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line);
    if (entry.msg === 'serving gRPC') return entry.port;
  }
  throw new Error('The process ended without serving.');
}

async function keyIdsAt(port: number): Promise<string[]> {
  const client = connectGrpc(AuthServiceClient, { target: `127.0.0.1:${port}` });
  const { keys } = await client.getJwks({}, { deadlineMs: PATIENCE_MS });
  client.close();
  return keys.map(({ kid }) => kid);
}

describe('the process', () => {
  it('starts twice at once on a new database, with one key, and stops cleanly', async () => {
    const instances = [startMain(SEALING_KEY), startMain(SEALING_KEY)];
    const ports = await Promise.all(instances.map(portOf));
    const [one, two] = await Promise.all(ports.map(keyIdsAt));
    expect(one).toHaveLength(1);
    expect(two).toEqual(one);
    for (const instance of instances) {
      instance.kill('SIGTERM');
      expect(await once(instance, 'exit')).toEqual([0, null]);
    }
  });

  it('does not start with another sealing key, and logs why', async () => {
    const child = startMain(Buffer.alloc(32, 9));
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(exitCode).toBe(1);
    expect(output).toContain('AUTH_SEALING_KEY does not open the signing key');
  });
});
