/** Reports whether the process lives, and whether it is ready for requests. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Readiness } from '../http/readiness.ts';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { named, ref } from '../schemas/named.ts';

const Health = named('Health', Type.Object({ status: Type.String({ examples: ['ok'] }) }));

export const healthSchemas = [Health];

/** Probes are answered under load too, and are not rate limited: an instance that sheds load must still look alive. */
const PROBE_CONFIG = {
  access: 'anyone',
  rateLimit: false,
  pressureHandler: () => undefined,
  alwaysAdmitted: true,
} as const;

export const healthRoutes: FastifyPluginAsyncTypebox<{ readiness: Readiness }> = async (
  app,
  { readiness },
) => {
  app.get('/healthz', {
    config: PROBE_CONFIG,
    schema: {
      tags: ['health'],
      operationId: 'getHealth',
      summary: 'Check that the process lives',
      response: { 200: ref(Health) },
    },
    handler: async () => ({ status: 'ok' }),
  });

  app.get('/readyz', {
    config: PROBE_CONFIG,
    schema: {
      tags: ['health'],
      operationId: 'getReadiness',
      summary: 'Check that every service behind the gateway serves',
      response: {
        200: ref(Health),
        503: problem(['NOT_READY'], '`not_serving` names the services that do not serve.'),
      },
    },
    handler: async () => {
      const notServing = await readiness.findNotServing();
      if (notServing.length === 0) return { status: 'ready' };
      throw new ProblemError('NOT_READY', `Not serving: ${notServing.join(', ')}.`, {
        members: { not_serving: notServing },
      });
    },
  });
};
