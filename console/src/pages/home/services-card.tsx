/** The instances of each service, as the registry knows them. */
import type { Schema } from '@payflowx/client';
import { Link } from '@tanstack/react-router';
import { reads, useRead } from '../../api/api.ts';
import { Badge, Card, Loaded } from '../../ui/parts.tsx';
import { Table } from '../../ui/table.tsx';

type Service = Schema<'Service'>;

export function ServicesCard() {
  const services = useRead(['services'], () => reads.get('/v1/services'), { everyMs: 5_000 });
  return (
    <Card title="Services" actions={<Link to="/dead-letters">Dead letters</Link>}>
      <Loaded query={services} rows={7}>
        {({ registry, data }) =>
          registry === 'none' ? (
            <p className="body quiet">The platform runs without a registry.</p>
          ) : (
            <Table
              caption="Services and their instances"
              items={data}
              keyOf={({ name }) => name}
              columns={[
                { head: 'Service', cell: ({ name }) => name },
                { head: 'Health', cell: (service) => <Health service={service} /> },
                { head: 'Instances', right: true, cell: ({ instances }) => instances.length },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

/** The reason of the first instance that does not pass. */
function Health({ service: { instances } }: { service: Service }) {
  const ill = instances.find(({ health }) => health !== 'passing');
  if (!ill) return <Badge state="passing" />;
  return (
    <>
      <Badge state={ill.health} />
      {ill.reason && <div className="small quiet">{ill.reason}</div>}
    </>
  );
}
