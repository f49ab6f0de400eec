/** google.rpc's error model: what every PayFlowX service puts into grpc-status-details-bin. */
export * from '../gen/google/protobuf/any.ts';
export * from '../gen/google/rpc/error_details.ts';
export * from '../gen/google/rpc/status.ts';
