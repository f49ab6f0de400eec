/** Writes the dashboards as JSON for Grafana. */
import { writeFile } from 'node:fs/promises';
import { DASHBOARDS } from './dashboards.ts';
import { toGrafana } from './panels.ts';

for (const dashboard of DASHBOARDS)
  await writeFile(new URL(`../dashboards/${dashboard.name}.json`, import.meta.url), toGrafana(dashboard));
