/** Kafka's configuration: TLS on every listener, passwords for clients, certificates for its own connections. */

import type { Ports } from '../settings.ts';
import { caFile, identityFile } from '../tls/tls-files.ts';

/** The subject of Kafka's own certificate, and that of the provisioning. They may do everything. */
const ADMINISTRATORS = 'User:kafka;User:kafka-admin';

/**
 * Clients connect to CLIENTS with a name and a password. The other two listeners accept only certificates of this checkout: BROKERS
 * is for the broker itself and for the provisioning, CONTROLLER for the broker.
 *
 * With one node, a topic's replication is 1. Consumer groups do not wait the usual 3 s for more members. The broker's session is
 * short, because a killed broker can only register again when its old session has expired.
 */
export function kafkaProperties({ ports }: { readonly ports: Ports }, dataFolder: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.kafka_controller}
controller.listener.names=CONTROLLER
listeners=CLIENTS://127.0.0.1:${ports.kafka},BROKERS://127.0.0.1:${ports.kafka_broker},CONTROLLER://127.0.0.1:${ports.kafka_controller}
advertised.listeners=CLIENTS://127.0.0.1:${ports.kafka},BROKERS://127.0.0.1:${ports.kafka_broker}
listener.security.protocol.map=CLIENTS:SASL_SSL,BROKERS:SSL,CONTROLLER:SSL
inter.broker.listener.name=BROKERS
listener.name.brokers.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.enabled.protocols=TLSv1.3
ssl.keystore.type=PEM
ssl.keystore.location=${identityFile('kafka')}
ssl.truststore.type=PEM
ssl.truststore.location=${caFile}
ssl.principal.mapping.rules=RULE:^CN=([a-z-]+)$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=${ADMINISTRATORS}
log.dirs=${dataFolder}
auto.create.topics.enable=false
offsets.topic.num.partitions=5
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=4000
`;
}
