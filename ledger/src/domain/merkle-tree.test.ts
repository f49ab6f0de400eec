import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  auditSiblings,
  growingTree,
  leafHash,
  nodeHash,
  rootFromPath,
  rootOf,
  type Subtree,
  subtreesOf,
} from './merkle-tree.ts';

/** The test vectors of Certificate Transparency: the leaves, and the root over the first n of them. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** The definition of RFC 6962, written literally. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only && leaves.length === 1) return only;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(rootByDefinition(leaves.slice(0, k)), rootByDefinition(leaves.slice(k)));
}

const someLeaves = (count: number) =>
  Array.from({ length: count }, (_, at) => leafHash(Buffer.from(`${at}`)));

const hashOf = (leaves: readonly Buffer[], { level, last }: Subtree) =>
  rootByDefinition(leaves.slice(last + 1 - 2 ** level, last + 1));

describe('the Merkle tree', () => {
  it('has the roots of the Certificate Transparency test vectors', () => {
    const tree = growingTree();
    const roots = LEAVES.map((leaf) => {
      tree.append(leafHash(Buffer.from(leaf, 'hex')));
      return tree.root().toString('hex');
    });
    expect(roots).toEqual(ROOTS);
  });

  it('continues from its complete subtrees as if it had never been interrupted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 1, max: 70 }), (before, added) => {
        const leaves = someLeaves(before + added);
        const subtrees = subtreesOf(0, before);
        const tree = growingTree(
          before,
          subtrees.map((subtree) => hashOf(leaves, subtree)),
        );
        for (const [index, leaf] of leaves.slice(before).entries()) {
          const last = before + index;
          const completed = tree.append(leaf);
          expect(completed).toEqual(completed.map((_, at) => hashOf(leaves, { level: at + 1, last })));
        }
        expect(tree.root()).toEqual(rootByDefinition(leaves));
      }),
    );
  });

  it('has audit paths from every leaf to its root, and from no other leaf, position or root', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 140 }), fc.nat(), (size, choice) => {
        const position = choice % size;
        const leaves = someLeaves(size);
        const leaf = leaves[position] as Buffer;
        const path = auditSiblings(position, size).map((sibling) =>
          rootOf(sibling.map((subtree) => hashOf(leaves, subtree))),
        );
        const root = rootByDefinition(leaves);
        expect(path.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)));
        expect(rootFromPath(leaf, { position, size, path })).toEqual(root);
        expect(rootFromPath(leafHash(leaf), { position, size, path })).not.toEqual(root);
        const elsewhere = (position + 1) % size;
        if (size > 1) expect(rootFromPath(leaf, { position: elsewhere, size, path })).not.toEqual(root);
        expect(rootFromPath(leaf, { position, size, path: [...path, root] })).toBeUndefined();
        if (size > 1) expect(rootFromPath(leaf, { position, size, path: path.slice(1) })).toBeUndefined();
      }),
    );
  });
});
