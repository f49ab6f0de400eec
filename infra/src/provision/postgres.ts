/** Creates one database and two roles for each service. The migrating role owns the database; the serving role does not. */
import pg from 'pg';
import { Failure } from '../failure.ts';
import type { Secrets } from '../secrets.ts';

export const DATABASES = ['auth', 'payment', 'authorization', 'ledger', 'notification', 'analytics'] as const;
export type DatabaseName = (typeof DATABASES)[number];

export interface RoleUrls {
  readonly serving: string;
  readonly migrating: string;
}

/** Creates or corrects roles, passwords, databases and rights. Safe to repeat. */
export async function provisionPostgres(adminUrl: string, secret: Secrets): Promise<void> {
  await withClient(adminUrl, async (admin) => {
    const { rows } = await admin.query<{ datname: string }>('SELECT datname FROM pg_database');
    const existing = new Set(rows.map(({ datname }) => datname));
    const isMarked = existing.has(MARKED) && (await requireOwnDatabases(admin, secret));
    for (const service of DATABASES) {
      const name = `payflowx_${service}`;
      await ensureRole(admin, name, secret(`postgres/${name}`));
      await ensureRole(admin, `${name}_migrator`, secret(`postgres/${name}_migrator`));
      if (!existing.has(name)) {
        await admin.query(`GRANT ${name}_migrator TO CURRENT_USER`); // Only a member of the role can name it as owner, unless it is a superuser.
        await admin.query(
          `CREATE DATABASE ${name} OWNER ${name}_migrator TEMPLATE template0
             ENCODING UTF8 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'`,
        );
      }
      await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
      await admin.query(`GRANT CONNECT ON DATABASE ${name} TO ${name}`);
    }
    if (!isMarked) await mark(admin, secret);
  });
}

/** The database whose comment names the platform that uses all of them. */
const MARKED = 'payflowx_payment';
const MARK = 'platform ';

/**
 * Two platforms on the same databases would divide the events between their brokers, and each would set its own passwords. Returns false
 * if no platform is named yet. Throws if it is another one.
 */
async function requireOwnDatabases(admin: pg.Client, secret: Secrets): Promise<boolean> {
  const { rows } = await admin.query<{ comment: string | null }>(
    "SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1",
    [MARKED],
  );
  const owner = rows[0]?.comment?.startsWith(MARK) ? rows[0].comment.slice(MARK.length) : undefined;
  if (owner === undefined || process.env.TAKE_OVER === '1') return false;
  if (owner === secret('platform/id')) return true;
  throw new Failure(
    'The databases of this PostgreSQL belong to another platform.',
    'Use another server in POSTGRES_ADMIN_URL. If the other platform is gone for good, TAKE_OVER=1 gives them to this one.',
  );
}

async function mark(admin: pg.Client, secret: Secrets): Promise<void> {
  await admin.query(`COMMENT ON DATABASE ${MARKED} IS ${pg.escapeLiteral(MARK + secret('platform/id'))}`);
}

/** Any role may open these by default. Only for a server of our own: another one may have users that need them. */
export async function closeCommonDatabases(adminUrl: string): Promise<void> {
  await withClient(adminUrl, async (admin) => {
    await admin.query('REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC');
  });
}

export function roleUrls(adminUrl: string, service: DatabaseName, secret: Secrets): RoleUrls {
  const name = `payflowx_${service}`;
  const urlOf = (role: string) => {
    const url = new URL(adminUrl);
    url.username = role;
    url.password = secret(`postgres/${role}`);
    url.pathname = `/${name}`;
    return url.href;
  };
  return { serving: urlOf(name), migrating: urlOf(`${name}_migrator`) };
}

async function ensureRole(admin: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  await admin.query(`${verb} ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
}

async function withClient(
  connectionString: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
