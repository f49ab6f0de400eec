/** Calls continue while Consul is not started yet, dies, and comes back empty. The steps follow each other. */

import http from 'node:http';
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { joinRegistry, type Membership, resolveThroughConsul } from '../src/index.ts';
import { type ConsulAgent, prepareConsulAgent } from './consul-agent.ts';
import { PATIENCE_MS, SOON } from './patience.ts';
import { recordLog } from './recorded-log.ts';
import { connectWho, serveWho, startTraffic, type WhoClient, type WhoServer } from './who-server.ts';

describe('Consul outages', () => {
  const memberLog = recordLog();
  const callerLog = recordLog();
  const servers: WhoServer[] = [];
  const memberships: Membership[] = [];
  let consul: ConsulAgent;
  let client: WhoClient;

  beforeEach(async () => {
    // Created once, because the steps share it. Not in beforeAll, whose failure would count the tests as skipped.
    if (consul !== undefined) return;
    consul = await prepareConsulAgent();
    resolveThroughConsul({ consul: { url: consul.url }, log: callerLog });
    client = connectWho('consul:///who');
  });

  afterAll(async () => {
    client?.close();
    await Promise.all(memberships.map((membership) => membership.leave()));
    for (const server of servers) server.crash();
    await consul?.kill();
    await consul?.wipe();
  });

  async function serveAndJoin(name: string): Promise<void> {
    const server = await serveWho(name);
    servers.push(server);
    const instance = {
      name: 'who',
      id: `who-${name}`,
      host: '127.0.0.1',
      port: server.port,
      check: 'grpc' as const,
    };
    memberships.push(await joinRegistry({ consul: { url: consul.url }, log: memberLog }, instance));
  }

  it('fails calls at once, not at their deadline, while nothing is known', async () => {
    // At its deadline it would be DEADLINE_EXCEEDED.
    await expect(client.ask({ deadlineMs: PATIENCE_MS })).rejects.toThrow(
      'UNAVAILABLE: Consul is unavailable, and the address of who is unknown',
    );
  });

  it('lets instances start without Consul, and completes the calls that wait for it', async () => {
    const waiting = client.ask({ waitForReady: true, deadlineMs: PATIENCE_MS });
    await serveAndJoin('anna');
    await serveAndJoin('bert');
    await consul.start();

    expect(await waiting).toMatch(/anna|bert/);
    await vi.waitFor(async () => expect(await client.askMany(10)).toEqual(['anna', 'bert']), SOON);
    const oncePerInstance = (message: string) => Array(2).fill(message);
    await vi.waitFor(
      () =>
        expect(memberLog.messages).toEqual([
          ...oncePerInstance('warn: cannot reach Consul to register, retrying in the background'),
          ...oncePerInstance('info: registered in Consul'),
        ]),
      SOON,
    );
  });

  it('keeps the last known addresses when Consul is killed, and logs it once', async () => {
    const traffic = startTraffic(client);
    callerLog.messages.length = 0;
    await consul.kill();
    const queries = watchQueries();
    await vi.waitFor(() => expect(queries().length).toBeGreaterThanOrEqual(3), SOON);

    expect(await client.askMany(10)).toEqual(['anna', 'bert']);
    expect(await askThroughNewChannel()).toMatch(/anna|bert/);
    expect((await traffic.stop()).errors).toEqual([]);
    expect(callerLog.messages).toEqual([
      'warn: Consul is unavailable; using the last known addresses, if any',
    ]);
  });

  it('registers again at an empty Consul, without a failed call meanwhile', async () => {
    const traffic = startTraffic(client);
    await consul.wipe();
    await consul.start();
    await vi.waitFor(async () => expect(await passingInstances()).toEqual(['who-anna', 'who-bert']), SOON);

    expect((await traffic.stop()).errors).toEqual([]);
  });

  it('discovers a third instance through the new Consul', async () => {
    await serveAndJoin('cleo');
    await vi.waitFor(async () => expect(await client.askMany(12)).toEqual(['anna', 'bert', 'cleo']), SOON);
  });

  it('keeps the last known addresses if a healthy Consul reports none', async () => {
    const traffic = startTraffic(client);
    const queries = watchQueries();
    for (const server of servers) server.setHealthy(false);
    await vi.waitFor(async () => expect(await passingInstances()).toEqual([]), SOON);
    // A query names the state that the answer before it had: from here on the empty list is known.
    const empty = await indexOfWho();
    await vi.waitFor(() => expect(Math.max(...queries())).toBeGreaterThanOrEqual(empty), SOON);
    expect((await client.askMany(12)).length).toBeGreaterThan(0);
    expect(await askThroughNewChannel()).toMatch(/anna|bert|cleo/);
    expect((await traffic.stop()).errors).toEqual([]);
  });

  it('keeps the addresses if no channel was open for a while and Consul is unavailable', async () => {
    client.close();
    await consul.kill();
    expect(await askThroughNewChannel()).toMatch(/anna|bert|cleo/);
  });

  it('lets neither calls nor a leaving instance hang if Consul hangs', async () => {
    await consul.start();
    await consul.freeze();
    const stranger = connectWho('consul:///stranger');
    const call = stranger.ask({ deadlineMs: PATIENCE_MS }).finally(() => stranger.close());
    await Promise.all([
      expect(call).rejects.toThrow(
        'UNAVAILABLE: Consul is unavailable, and the address of stranger is unknown',
      ),
      ...memberships.map((membership) => membership.leave()),
    ]);
    expect(memberLog.messages.at(-1)).toBe(
      'warn: could not deregister; Consul removes a dead instance after 1m',
    );
  });

  /** An open channel would continue with its addresses, even without an update. */
  async function askThroughNewChannel(): Promise<string> {
    const newClient = connectWho('consul:///who');
    try {
      return await newClient.ask();
    } finally {
      newClient.close();
    }
  }

  /** From now on, the index in each question for the instances of `who`. */
  function watchQueries(): () => number[] {
    const asked = vi.spyOn(http, 'request');
    onTestFinished(() => asked.mockRestore());
    return () =>
      asked.mock.calls.flatMap(([options]) => {
        const { path = '' } = options as { path?: string };
        const [, index] = /\/health\/service\/who\b.*\bindex=(\d+)/.exec(path) ?? [];
        return index === undefined ? [] : Number(index);
      });
  }

  async function indexOfWho(): Promise<number> {
    const { headers } = await fetch(`${consul.url}/v1/health/service/who?passing=true`);
    return Number(headers.get('x-consul-index'));
  }

  async function passingInstances(): Promise<string[]> {
    const answer = await fetch(`${consul.url}/v1/health/service/who?passing=true`);
    const entries = (await answer.json()) as { Service: { ID: string } }[];
    return entries.map(({ Service }) => Service.ID).sort();
  }
});
