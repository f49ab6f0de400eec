/**
 * The standard gRPC health service, https://github.com/grpc/grpc/blob/master/doc/health-checking.md. The empty name says whether the
 * instance can answer calls; Consul checks it. The name of a service says whether all of its work proceeds; `/readyz` of the gateway
 * checks it.
 */
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { type Repetition, repeat } from '../process/repeat.ts';
import type { Logger } from '../telemetry/log.ts';

/** Returns the problem in words; undefined if there is none. Called every second, so it only reads what is known. */
export type HealthCheck = () => string | undefined;

export interface HealthChecks {
  /** With one of these problems the instance cannot answer calls, and should get none. */
  answering?: readonly HealthCheck[];
  /** With one of these problems the instance answers calls, but some of its work stands still. */
  working?: readonly HealthCheck[];
}

export interface Health {
  /** Reports NOT_SERVING from now on. */
  stop(): void;
}

const CHECK_EVERY_MS = 1_000;

export function serveHealth(
  server: Server,
  names: readonly string[],
  { answering = [], working = [] }: HealthChecks,
  log: Logger,
): Health {
  const health = new HealthImplementation(
    Object.fromEntries(['', ...names].map((name) => [name, 'SERVING'])),
  );
  health.addToServer(server);
  // Its streams need no token, have no end, and the library keeps every name that a stranger watches. Probes use Check; gRPC clients
  // treat UNIMPLEMENTED as healthy.
  server.unregister('/grpc.health.v1.Health/Watch');
  let reported = '';

  const report = (name: string, isHealthy: boolean) =>
    health.setStatus(name, isHealthy ? 'SERVING' : 'NOT_SERVING');

  async function check(): Promise<boolean> {
    const answerProblems = answering.flatMap((problem) => problem() ?? []);
    const problems = [...answerProblems, ...working.flatMap((problem) => problem() ?? [])];
    if (problems.join() !== reported) {
      if (problems.length > 0) log.error({ problems }, 'this instance is not healthy');
      else log.info('this instance is healthy again');
      reported = problems.join();
      report('', answerProblems.length === 0);
      for (const name of names) report(name, problems.length === 0);
    }
    return false;
  }

  const hasChecks = answering.length + working.length > 0;
  const checks: Repetition | undefined = hasChecks
    ? repeat('the health check', CHECK_EVERY_MS, check, log)
    : undefined;
  return {
    stop() {
      void checks?.stop();
      for (const name of ['', ...names]) report(name, false);
    },
  };
}
