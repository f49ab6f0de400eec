/** Walks the library's syntax trees. */
import type { ASTNode } from '@marcbachmann/cel-js';

/** Arguments are nodes, names, values, or lists of them. */
export function childrenOf({ args }: ASTNode): ASTNode[] {
  return [args as unknown].flat(3).filter(isNode);
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'start' in value;
}
