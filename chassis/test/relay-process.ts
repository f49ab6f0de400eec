/** A relay that tests kill. Its publish function prints the ids. */
import { writeSync } from 'node:fs';
import { unpackParcel } from '../src/messaging/parcel.ts';
import { startOutboxRelay } from '../src/postgres/outbox-relay.ts';
import { armFaults } from '../src/process/faults.ts';
import { testLog } from '../src/testing/index.ts';

const { RELAY_URL: url = '', RELAY_DESTINATION: destination = '', FAULTS_DIR } = process.env;
armFaults(FAULTS_DIR);
const relay = await startOutboxRelay(
  {
    url,
    destination,
    publish: async (parcels) => {
      const messages = parcels.flatMap(unpackParcel);
      writeSync(1, messages.map(({ id }) => `${id}\n`).join(''));
    },
  },
  testLog,
);
process.once('SIGTERM', () => relay.stop());
