/** A plot over time by uPlot, in the colours of the page. Loaded only with the pages that have one. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Series {
  label: string;
  tone: 'good' | 'bad' | 'warn' | 'info';
  /** Draws steps, for values that stay until they change. */
  stepped?: boolean;
  values: (number | null)[];
}

interface PlotProps {
  /** Says in words what the plot shows. */
  label: string;
  /** Seconds since 1970. */
  times: number[];
  series: Series[];
  /** Shows this many seconds before the last value. Undefined: all. */
  spanS?: number;
  format?: (value: number) => string;
}

const HEIGHT = 210;

export function Plot({ label, times, series, spanS, format = String }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const formatter = useRef(format);
  formatter.current = format;
  const data = useRef<uPlot.AlignedData>([[]]);
  data.current = dataOf(times, series);
  const shape = series.map(({ label: name, tone }) => `${name}:${tone}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: new values reach the plot below; only another shape needs a new one.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsOf(element, { series, spanS, format: (value) => formatter.current(value) }),
        data.current,
        element,
      );
    };
    draw();
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resized.observe(element);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    // The system changes its colours too, for many people at dusk.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener('change', draw);
      plot.current?.destroy();
    };
  }, [shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the ref has the values of this render.
  useEffect(() => plot.current?.setData(data.current), [times, series]);

  return (
    <figure>
      <div ref={box} className="plot" role="img" aria-label={label} />
      <figcaption className="legend">
        {series.map(({ label: name, tone }) => (
          <span key={name} className={`series-${tone}`}>
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function dataOf(times: number[], series: Series[]): uPlot.AlignedData {
  return [times, ...series.map(({ values }) => values)];
}

function optionsOf(
  element: HTMLElement,
  { series, spanS, format }: Required<Pick<PlotProps, 'series' | 'format'>> & { spanS: number | undefined },
): uPlot.Options {
  const color = colorsOf(element);
  const axis: uPlot.Axis = {
    stroke: color('--ink-2'),
    font: '12px Geist, sans-serif',
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    axes: [
      { ...axis, grid: { show: false }, values: (plot, ticks) => ticks.map((tick) => timeText(plot, tick)) },
      { ...axis, size: 72, values: (_plot, ticks) => ticks.map(format) },
    ],
    scales: {
      x: spanS === undefined ? {} : { range: (_plot, _min, max) => lastSeconds(spanS, max) },
      y: { range: (_plot, min, max) => [Math.min(0, min), max <= 0 ? 1 : max * 1.1] },
    },
    series: [
      {},
      ...series.map(({ tone, stepped }) => ({
        stroke: color(`--${tone}`),
        fill: color(`--${tone}-soft`),
        width: 1.75,
        points: { show: false },
        ...(stepped && { paths: uPlot.paths.stepped?.({ align: 1 }) }),
      })),
    ] as uPlot.Series[],
  };
}

/** Without a value yet, uPlot has no maximum. */
function lastSeconds(spanS: number, max: number | null): [number, number] {
  const end = max ?? Date.now() / 1_000;
  return [end - spanS, end];
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const DAY_S = 86_400;

/** The time of the day on a plot of up to two days, else the day. */
function timeText({ scales }: uPlot, seconds: number): string {
  const { min = 0, max = 0 } = scales.x ?? {};
  const format = (max ?? 0) - (min ?? 0) > 2 * DAY_S ? DAY : CLOCK;
  return format.format(seconds * 1_000);
}

/** A canvas needs colours that are resolved: `light-dark()` works only in styles. */
function colorsOf(element: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = document.createElement('i');
    probe.style.color = `var(${name})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
