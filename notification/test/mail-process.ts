/** Sends mails until it is killed, or until none is pending. Arguments: the database, the mail server, the folder of faults. */
import { armFaults } from '@payflowx/chassis';
import { eventually } from '@payflowx/chassis/testing';
import { startMailParts } from './mail-platform.ts';

const [url = '', mailServer = '', faults = ''] = process.argv.slice(2);
armFaults(faults);
const parts = await startMailParts({ url }, mailServer);
await eventually(async () => {
  const pending = await parts.db.selectFrom('mails').select('id').where('state', '=', 'pending').execute();
  if (pending.length > 0) throw new Error('mails are pending');
});
await parts.stop();
