/** How far the events of the platform are behind. */
import type { Command } from 'commander';
import { act } from '../environment.ts';
import { EXIT } from '../exit.ts';

export function pipelineCommand(program: Command): void {
  program
    .command('pipeline')
    .description('show how far each stage of the events is behind, the dead letters, and the last proof')
    .action(
      act(async ({ api, output, format }) => {
        const { data: pipeline } = await api.get('/v1/pipeline');
        if (format !== 'table') output.object(pipeline, []);
        else {
          output.rows(pipeline.stages, [
            ['service', ({ service }) => service],
            ['activity', ({ activity }) => activity],
            ['source', ({ source }) => source],
            ['waiting', ({ waiting }) => waiting ?? 'unknown', 'right'],
            [
              'oldest',
              ({ oldest_age_ms: ms }) => (ms === null ? 'unknown' : `${(ms / 1_000).toFixed(1)} s`),
              'right',
            ],
          ]);
          const known = pipeline.dead_letters.map(({ source, count }) => `${source} ${count ?? 'unknown'}`);
          output.say(`Dead letters: ${known.join(', ')}`);
          const { last_proof: proof } = pipeline;
          output.say(proof ? `Last proof: ${proof.verdict}, ${proof.proved_at}` : 'Last proof: none yet');
        }
        if (pipeline.incomplete.length === 0) return;
        output.say(`No answer from: ${pipeline.incomplete.join(', ')}`);
        process.exitCode = EXIT.unavailable;
      }),
    );
}
