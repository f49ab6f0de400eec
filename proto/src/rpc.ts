/** google.rpc's error model. Every PayFlowX service sends these messages in grpc-status-details-bin. */
export * from '../gen/google/protobuf/any.ts';
export * from '../gen/google/rpc/error_details.ts';
export * from '../gen/google/rpc/status.ts';
