/** The tables of the page about errors, made from the catalogue in the code, and the codes in which the two do not agree. */

interface ProblemFacts {
  status: number;
  title: string;
  fixedBy: string;
  retry: string;
  key: string;
  leaves: string;
}

interface DeclineFacts {
  message: string;
  fixedBy: string;
  retry: string;
}

/** A reason of a service, for callers of gRPC. */
export interface Reason {
  reason: string;
  service: string;
  /** The gRPC code. */
  code: string;
  /** The code over REST. */
  problem: string;
}

export interface Catalogue {
  problems: Record<string, ProblemFacts>;
  declines: Record<string, DeclineFacts>;
  /** The declines that a 402 of a payment, and one of a refund, may have. */
  ofPayments: readonly string[];
  ofRefunds: readonly string[];
  reasons: readonly Reason[];
}

export interface Usage {
  /** The sources that refuse requests over REST, without the lists of the document and of types. */
  gateway: string;
  /** The sources of all services and of the chassis, likewise. */
  services: string;
  /** Problem codes by reasons of services. */
  byReason: Record<string, string>;
  /** Problem codes by other errors: codes of gRPC and of the framework. */
  byOther: readonly string[];
}

/** Returns codes in use that the catalogue lacks, and entries of it that nothing uses. */
export function differences({ problems, declines, reasons }: Catalogue, usage: Usage): string[] {
  const { gateway, services, byReason, byOther } = usage;
  const live = Object.entries(byReason).filter(([reason]) => isQuoted(services, reason));
  const used = new Set([...live.map(([, problem]) => problem), ...byOther]);
  const known = new Set([...Object.keys(problems), ...Object.keys(declines)]);
  return [
    ...Object.keys(problems).flatMap((code) =>
      used.has(code) || isQuoted(gateway, code) ? [] : `${code} is in the catalogue, but nothing uses it`,
    ),
    ...thrownIn(gateway).flatMap((code) =>
      known.has(code) ? [] : `${code} is thrown, but it is not in the catalogue`,
    ),
    ...[...used].flatMap((code) => (known.has(code) ? [] : `${code} is not in the catalogue`)),
    ...Object.keys(byReason).flatMap((reason) =>
      isQuoted(services, reason) ? [] : `the reason ${reason} has a problem code, but no service uses it`,
    ),
    ...Object.keys(declines).flatMap((code) =>
      isQuoted(services, code) ? [] : `the decline ${code} is in the catalogue, but no service uses it`,
    ),
    ...reasons.flatMap(({ reason, service }) =>
      isQuoted(services, reason) ? [] : `the reason ${reason} of ${service} is not used`,
    ),
  ];
}

function isQuoted(source: string, code: string): boolean {
  return source.includes(`'${code}'`);
}

function thrownIn(source: string): string[] {
  return [...source.matchAll(/new ProblemError\(\s*'(\w+)'/g)].map(([, code = '']) => code);
}

/** Removes the lists of codes that only describe a route, and those of types. */
export function withoutLists(source: string): string {
  return source.replaceAll(/\b(?:problem|refusal)\(\s*\[[^\]]*\]/g, '').replaceAll(/^\s+\| '\w+';?$/gm, '');
}

const LISTS = ['problems', 'declines', 'reasons'] as const;

/** Replaces the tables between their marks `<!-- table: … -->` and `<!-- end -->`. */
export function withTables(page: string, catalogue: Catalogue): string {
  return LISTS.reduce((text, name) => {
    const marked = new RegExp(`(<!-- table: ${name} -->\\n)[\\s\\S]*?(<!-- end -->)`);
    if (!marked.test(text)) throw new Error(`The page has no place for the table ${name}.`);
    return text.replace(marked, (_, head, end) => `${head}${TABLES[name](catalogue)}\n${end}`);
  }, page);
}

const TABLES: Record<(typeof LISTS)[number], (catalogue: Catalogue) => string> = {
  problems: ({ problems }) =>
    table(
      ['code', 'status', 'meaning', 'who can act', 'retry', 'key', 'left behind'],
      Object.entries(problems).map(([code, { status, title, fixedBy, retry, key, leaves }]) => [
        `\`${code}\``,
        String(status),
        title,
        fixedBy,
        retry,
        key,
        leaves === 'nothing' ? '–' : leaves,
      ]),
    ),
  declines: ({ declines, ofPayments, ofRefunds }) =>
    table(
      ['code', 'meaning', 'who can act', 'retry', '402 of'],
      Object.entries(declines).map(([code, { message, fixedBy, retry }]) => [
        `\`${code}\``,
        message.replace(/\.$/, ''),
        fixedBy,
        retry,
        [ofPayments.includes(code) && 'payments', ofRefunds.includes(code) && 'refunds']
          .filter(Boolean)
          .join(', ') || '–',
      ]),
    ),
  reasons: ({ reasons }) =>
    table(
      ['reason', 'service', 'gRPC', 'REST'],
      reasons.map(({ reason, service, code, problem }) => [
        `\`${reason}\``,
        service,
        code,
        reason === problem ? 'the same' : `\`${problem}\``,
      ]),
    ),
};

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
