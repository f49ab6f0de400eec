/** The rules of plain prose, as textlint rules. CONTRIBUTING.md says why we have them. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TextlintKernelRule } from '@textlint/kernel';
import { PHRASES } from './phrases.ts';

type RuleReporter = Extract<TextlintKernelRule['rule'], (...args: never[]) => unknown>;
type Context = Parameters<RuleReporter>[0];
// biome-ignore lint/suspicious/noExplicitAny: textlint types a node by its kind; these rules read children of any kind.
type Node = any;

const MAX_WORDS = 30;

const OPENING = /^\W*(What|Whatever|Who|Whoever|Whose|Whom|Whether|Where|Wherever|Which|Whichever)\b/i;
const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

const openings: RuleReporter = (context) => ({
  Paragraph(node: Node) {
    for (const { sentence, index } of sentencesOf(context, node)) {
      const word = OPENING.exec(sentence)?.[1];
      if (!word || sentence.endsWith('?')) continue;
      report(
        context,
        node,
        index,
        `A sentence begins with ${word}. Name the thing first, then say what it does.`,
      );
    }
  },
});

const length: RuleReporter = (context) => {
  const check = (node: Node) => {
    for (const { sentence, index } of sentencesOf(context, node)) {
      const words = sentence.split(/\s+/).filter((word) => /[a-z]/i.test(word) && !/^\W*X+\W*$/.test(word));
      if (words.length <= MAX_WORDS) continue;
      report(
        context,
        node,
        index,
        `${words.length} words in one sentence. Split it: at most ${MAX_WORDS}, one idea each.`,
      );
    }
  };
  return { Paragraph: check, TableCell: check };
};

const phrases: RuleReporter = (context) => {
  const check = (node: Node) => {
    const text = masked(context, node);
    for (const { avoid, write } of PHRASES) {
      const match = avoid.exec(text);
      if (match) report(context, node, match.index, `Instead of "${match[0]}" write: ${write}.`);
    }
  };
  return { Paragraph: check, TableCell: check, Header: check };
};

const links: RuleReporter = (context) => ({
  Link(node: Node) {
    const [path = '', anchor] = String(node.url).split('#');
    const file = context.getFilePath();
    if (/^[a-z]+:/.test(path) || !file) return;
    const target = path === '' ? file : join(dirname(file), path);
    if (!existsSync(target)) report(context, node, 0, `There is no ${path}: mend the link.`);
    else if (anchor && statSync(target).isFile() && !anchorsOf(target).has(anchor))
      report(context, node, 0, `${path || 'This page'} has no heading #${anchor}: mend the link.`);
  },
});

export const RULES: TextlintKernelRule[] = [
  { ruleId: 'openings', rule: openings },
  { ruleId: 'length', rule: length },
  { ruleId: 'phrases', rule: phrases },
  { ruleId: 'links', rule: links },
];

function sentencesOf(context: Context, node: Node): { sentence: string; index: number }[] {
  return [...sentences.segment(masked(context, node))].map(({ segment, index }) => {
    const blank = segment.length - segment.trimStart().length;
    return { sentence: segment.trim(), index: index + blank };
  });
}

/** The text of a node at its old length: code becomes one word of X, marks and link targets become blanks. */
function masked(context: Context, node: Node): string {
  const source = context.getSource(node);
  const from = node.range[0];
  const text = [...' '.repeat(source.length)];
  const put = (child: Node, content: string) => {
    for (let i = 0; i < content.length; i++) text[child.range[0] - from + i] = content.charAt(i);
  };
  const visit = (child: Node) => {
    if (child.type === 'Str') put(child, source.slice(child.range[0] - from, child.range[1] - from));
    else if (child.type === 'Code') put(child, 'X'.repeat(child.range[1] - child.range[0]));
    else child.children?.forEach(visit);
  };
  node.children.forEach(visit);
  const constants = /\b[A-Z]+(_[A-Z]+)+\b/g;
  return text
    .join('')
    .replaceAll('\n', ' ')
    .replaceAll(constants, (name) => 'X'.repeat(name.length));
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(file: string): Set<string> {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function report(context: Context, node: Node, index: number, message: string): void {
  const words = context.getSource(node).slice(index).trim().split(/\s+/).slice(0, 6).join(' ');
  const padding = context.locator.range([index, index + 1]);
  context.report(node, new context.RuleError(`«${words} …» ${message}`, { padding }));
}
