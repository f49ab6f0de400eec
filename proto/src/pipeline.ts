/** The contract of PipelineService. */
export * from '../gen/payflowx/pipeline/v1/pipeline.ts';
