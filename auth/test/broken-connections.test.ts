/** All database connections break again and again while users log in. */
import { PATIENCE_MS, untilKnown, whileConnectionsBreak } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { createUsers, freshDatabase, PASSWORD, startAuth } from './auth-server.ts';

it('logins succeed on a retry, and the service lives on', async () => {
  const database = await freshDatabase();
  await createUsers(database);
  const auth = await startAuth(database);
  const deadlineMs = PATIENCE_MS;
  const tokens = await whileConnectionsBreak(database.adminUrl, () =>
    Promise.all(
      Array.from({ length: 5 }, () =>
        untilKnown(async () => {
          const { tokens } = await auth.client.login(
            { username: 'customer', password: PASSWORD },
            { deadlineMs },
          );
          return tokens?.accessToken ?? '';
        }),
      ),
    ),
  );
  for (const accessToken of tokens) {
    const { user } = await untilKnown(() => auth.client.getMe({}, { deadlineMs, accessToken }));
    expect(user?.username).toBe('customer');
  }
  await auth.stop();
  await database.drop();
});
