/** The instances of each service, as the registry knows them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { RegistryReader } from '@payflowx/registry';
import { type Static, Type } from 'typebox';
import { ProblemError } from '../problems/problem.ts';
import { problem } from '../schemas/answers.ts';
import { named, ref } from '../schemas/named.ts';
import { nullableText } from '../schemas/text.ts';

const Instance = Type.Object({
  id: Type.String({ examples: ['payment-1'] }),
  address: Type.String({ description: 'Host and port.', examples: ['127.0.0.1:50053'] }),
  health: Type.Unsafe<'passing' | 'warning' | 'critical'>({
    type: 'string',
    enum: ['passing', 'warning', 'critical'],
    description: 'The worst of its health checks.',
  }),
  reason: nullableText('The output of the checks that do not pass; null if all pass.'),
});

const Service = named(
  'Service',
  Type.Object({
    name: Type.String({ examples: ['payment'] }),
    instances: Type.Array(Instance, { description: 'Sorted by id.' }),
  }),
);

const ServiceList = named(
  'ServiceList',
  Type.Object({
    registry: Type.Unsafe<'consul' | 'none'>({
      type: 'string',
      enum: ['consul', 'none'],
      description: '`none`: the platform runs without a registry, so there is nothing to list.',
    }),
    data: Type.Array(ref(Service), { description: 'Sorted by name.' }),
  }),
);

export const serviceSchemas = [Service, ServiceList];

export type ReadRegistry = RegistryReader['read'];

interface Options {
  readRegistry: ReadRegistry;
}

export const serviceRoutes: FastifyPluginAsyncTypebox<Options> = async (app, { readRegistry }) => {
  app.get('/v1/services', {
    config: { access: ['operator', 'auditor'] },
    schema: {
      tags: ['operations'],
      operationId: 'listServices',
      summary: 'List the registered instances of each service with their health',
      response: { 200: ref(ServiceList), 503: problem(['UNAVAILABLE']) },
    },
    handler: async () => listJson(await readOrRefuse(readRegistry)),
  });
};

async function readOrRefuse(readRegistry: ReadRegistry) {
  try {
    return await readRegistry();
  } catch (cause) {
    throw new ProblemError('UNAVAILABLE', 'The registry does not answer.', { cause });
  }
}

function listJson(found: Awaited<ReturnType<ReadRegistry>>): Static<typeof ServiceList> {
  if (found === undefined) return { registry: 'none', data: [] };
  const services = Map.groupBy(found, ({ service }) => service);
  const data = [...services].map(([name, instances]) => ({
    name,
    instances: instances.map(({ id, address, health, reason }) => ({
      ...{ id, address, health, reason: reason === '' ? null : reason },
    })),
  }));
  return { registry: 'consul', data };
}
