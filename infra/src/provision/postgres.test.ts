import { testServers } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { provisionPostgres } from './postgres.ts';

it('leaves the databases of another platform alone', async () => {
  const ofAnother = (name: string) => `${name} of another`;
  await expect(provisionPostgres(testServers.postgresAdminUrl(), ofAnother)).rejects.toThrow(
    'belong to another platform',
  );
});
