/** Runs before each file of tests in `make mutate`: the same few cases every time, or one change would be noticed in one run only. */
import fc from 'fast-check';

fc.configureGlobal({ seed: 1, numRuns: 10 });
