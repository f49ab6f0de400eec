/** Panels of Prometheus queries, two in a row. */
import { DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export interface Panel {
  title: string;
  /** PromQL. `$__rate_interval` is Grafana's. */
  query: string;
  /** A label of each line: `{{job}}`. */
  legend: string;
  /** A unit of Grafana: `s`, `bytes`, `reqps`, `percentunit`, `short`. */
  unit: string;
}

export interface Dashboard {
  name: string;
  title: string;
  rows: Record<string, Panel[]>;
}

const HEIGHT = 8;
/** Half of Grafana's grid. */
const WIDTH = 12;

/** The JSON that Grafana imports. */
export function toGrafana({ name, title, rows }: Dashboard): string {
  const builder = new DashboardBuilder(title)
    .uid(`payflowx-${name}`)
    .tags(['payflowx'])
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('utc');
  for (const [row, panels] of Object.entries(rows)) {
    builder.withRow(new RowBuilder(row));
    for (const panel of panels) builder.withPanel(toPanel(panel));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function toPanel({ title, query, legend, unit }: Panel): PanelBuilder {
  return new PanelBuilder()
    .title(title)
    .unit(unit)
    .height(HEIGHT)
    .span(WIDTH)
    .withTarget(new DataqueryBuilder().expr(query).legendFormat(legend));
}
