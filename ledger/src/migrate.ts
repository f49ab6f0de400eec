/** Applies the missing migrations, with the role that owns the database. It runs before the service starts: `node src/migrate.ts`. */
import { runMigrations } from '@payflowx/chassis/postgres';

await runMigrations('ledger', new URL('../migrations/', import.meta.url), process.env);
