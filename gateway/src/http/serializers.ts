/**
 * Compiles the serializer of each response schema once. Most responses are problems of the same form, more than ten on each of over a
 * hundred routes. Fastify compiles each of them, which is most of the gateway's start.
 */
import selectCompiler from '@fastify/fast-json-stringify-compiler';

type Serializer = selectCompiler.Serializer;

const compilerFor = selectCompiler();
/** By the shared schemas that the others refer to, and then by schema. */
const compiled = new Map<string, Map<string, Serializer>>();

export const buildSerializer: selectCompiler.SerializerFactory = (sharedSchemas, options) => {
  const compile = compilerFor(sharedSchemas, options);
  const known = entry(compiled, JSON.stringify([sharedSchemas, options]), () => new Map());
  return (route) => entry(known, JSON.stringify(route.schema), () => compile(route));
};

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
