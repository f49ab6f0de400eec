/** The tables of the page about scopes, made from the OpenAPI document and the access tables. */

export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: { oauth2: { flows: { clientCredentials: { scopes: Record<string, string> } } } };
  };
}

interface Operation {
  summary: string;
  description?: string;
  security?: Record<string, string[]>[];
}

/** An RPC that API clients may call. */
export interface Rpc {
  /** `PaymentService/GetPayment`. */
  name: string;
  scope: string;
  roles: readonly string[];
}

export function scopesTable(document: Document): string {
  return table(
    ['scope', 'gives access to'],
    Object.entries(scopesOf(document)).map(([scope, text]) => [code(scope), text]),
  );
}

export function operationsTable(document: Document): string {
  const rows = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => {
      const scope = operation.security?.find(({ oauth2 }) => oauth2)?.oauth2?.[0];
      return scope ? [{ scope, name: `${method.toUpperCase()} ${path}`, roles: rolesIn(operation) }] : [];
    }),
  );
  return grouped(document, rows, 'operation');
}

export function rpcsTable(rpcs: readonly Rpc[]): string {
  const rows = rpcs.map(({ scope, name, roles }) => ({ scope, name, roles: roles.join(', ') }));
  const sorted = rows.toSorted((a, b) => (a.scope + a.name < b.scope + b.name ? -1 : 1));
  return table(
    ['scope', 'RPC', 'roles of the user'],
    sorted.map(({ scope, name, roles }) => [code(scope), code(name), roles]),
  );
}

/** The document has the scopes in their own order. */
function grouped(
  document: Document,
  rows: readonly { scope: string; name: string; roles: string }[],
  column: string,
): string {
  const order = Object.keys(scopesOf(document));
  const unknown = rows.find(({ scope }) => !order.includes(scope));
  if (unknown)
    throw new Error(`${unknown.name} has the scope ${unknown.scope}, which the document does not list.`);
  const sorted = rows.toSorted((a, b) => order.indexOf(a.scope) - order.indexOf(b.scope));
  return table(
    ['scope', column, 'roles of the user'],
    sorted.map(({ scope, name, roles }) => [code(scope), code(name), roles]),
  );
}

function scopesOf({ components }: Document): Record<string, string> {
  return components.securitySchemes.oauth2.flows.clientCredentials.scopes;
}

/** The description of every guarded operation ends with its roles. */
function rolesIn({ description = '' }: Operation): string {
  return /Roles: ([a-z, ]+)\./.exec(description)?.[1] ?? '';
}

const code = (text: string) => `\`${text}\``;

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Replaces the table behind `<!-- table: name -->`. Throws if the page has no such place. */
export function withTable(page: string, name: string, wanted: string): string {
  const place = `<!-- table: ${name} -->\n`;
  const start = page.indexOf(place);
  if (start === -1) throw new Error(`The page has no place ${place.trim()}.`);
  const from = start + place.length;
  const old = /^(\|.*\n)*/.exec(page.slice(from))?.[0] ?? '';
  return `${page.slice(0, from)}${wanted}\n${page.slice(from + old.length)}`;
}
