/** Creates one database and two roles for each service. The migrating role owns the database; the serving role does not. */
import pg from 'pg';
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
