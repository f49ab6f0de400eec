/** Reads the version of the platform's Postgres, and its WAL position. */
import pg from 'pg';

export interface PostgresProbe {
  version: string;
  /** Bytes of WAL since the cluster was created. */
  walBytes(): Promise<number>;
  settings: Record<string, string>;
  close(): Promise<void>;
}

const SETTINGS = ['synchronous_commit', 'fsync', 'full_page_writes', 'shared_buffers', 'max_wal_size'];

export async function connectPostgres(url: string): Promise<PostgresProbe> {
  const client = new pg.Client({ connectionString: url });
  // A restart of the server shows at the next query.
  client.on('error', () => {});
  await client.connect();
  const settings = await client.query<{ name: string; setting: string; unit: string | null }>(
    'select name, setting, unit from pg_settings where name = any($1)',
    [[...SETTINGS, 'server_version']],
  );
  const values = Object.fromEntries(
    settings.rows.map(({ name, setting, unit }) => [name, unit ? `${setting} × ${unit}` : setting]),
  );
  const { server_version: version = 'unknown', ...others } = values;
  return {
    version,
    settings: others,
    async walBytes() {
      const { rows } = await client.query<{ bytes: string }>(
        "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text as bytes",
      );
      return Number(rows[0]?.bytes);
    },
    close: () => client.end(),
  };
}
