/** Plots latency over throughput of the open loop, as SVG. */
import type { RunResult } from '../measured-run.ts';

const SIZE = { width: 860, height: 520 };
const FRAME = { left: 95, right: 130, top: 60, bottom: 70 };
const CURVES = [
  { key: 'p50', label: 'p50', colour: '#1b7837' },
  { key: 'p95', label: 'p95', colour: '#2166ac' },
  { key: 'p99', label: 'p99', colour: '#b2182b' },
  { key: 'p999', label: 'p99.9', colour: '#762a83' },
] as const;

/** Undefined with fewer than two points. `title` has place and time. */
export function plot(runs: readonly RunResult[], title: string): string | undefined {
  const points = runs.filter(({ loop, answerMs }) => loop.kind === 'open' && answerMs);
  if (points.length < 2) return undefined;
  const rates = points.map(({ requestsPerSecond }) => requestsPerSecond);
  const latencies = points.flatMap(({ answerMs }) => CURVES.map(({ key }) => answerMs?.[key] ?? 1));
  const x = linear(Math.max(...rates) * 1.05);
  const y = logarithmic(Math.min(...latencies), Math.max(...latencies));
  const right = SIZE.width - FRAME.right;
  const bottom = SIZE.height - FRAME.bottom;

  const across = y.ticks.map(
    (ms) =>
      `<line x1="${FRAME.left}" x2="${right}" y1="${y.at(ms)}" y2="${y.at(ms)}" stroke="#ddd"/>` +
      `<text x="${FRAME.left - 10}" y="${y.at(ms) + 5}" text-anchor="end">${ms}</text>`,
  );
  const down = x.ticks.map(
    (rate) =>
      `<line x1="${x.at(rate)}" x2="${x.at(rate)}" y1="${FRAME.top}" y2="${bottom}" stroke="#eee"/>` +
      `<text x="${x.at(rate)}" y="${bottom + 22}" text-anchor="middle">${rate}</text>`,
  );
  const curves = CURVES.map(({ key, label, colour }, index) => {
    const places = points.map((run) => ({
      x: x.at(run.requestsPerSecond),
      y: y.at(run.answerMs?.[key] ?? 1),
    }));
    const path = places.map((place) => `${place.x},${place.y}`).join(' ');
    const dots = places.map((place) => `<circle cx="${place.x}" cy="${place.y}" r="4" fill="${colour}"/>`);
    const legendY = FRAME.top + 20 + index * 26;
    return (
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}` +
      `<line x1="${right + 20}" x2="${right + 44}" y1="${legendY}" y2="${legendY}" stroke="${colour}" stroke-width="3"/>` +
      `<text x="${right + 52}" y="${legendY + 5}">${label}</text>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" font-family="sans-serif" font-size="15" fill="#222">
<rect width="100%" height="100%" fill="white"/>
<text x="${FRAME.left}" y="30" font-size="18">Answer time over throughput, open loop, uniform</text>
<text x="${FRAME.left}" y="50" font-size="13" fill="#666">${escaped(title)}</text>
${[...across, ...down, ...curves].join('\n')}
<rect x="${FRAME.left}" y="${FRAME.top}" width="${right - FRAME.left}" height="${bottom - FRAME.top}" fill="none" stroke="#888"/>
<text x="${(FRAME.left + right) / 2}" y="${SIZE.height - 18}" text-anchor="middle">requests a second</text>
<text transform="translate(22 ${(FRAME.top + bottom) / 2}) rotate(-90)" text-anchor="middle">ms from the moment it was due (log)</text>
</svg>
`;
}

interface Axis {
  at(value: number): number;
  ticks: number[];
}

function linear(most: number): Axis {
  const width = SIZE.width - FRAME.left - FRAME.right;
  const rough = most / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
  return { at: (value) => rounded(FRAME.left + (value / most) * width), ticks };
}

function logarithmic(least: number, most: number): Axis {
  const height = SIZE.height - FRAME.top - FRAME.bottom;
  const from = Math.floor(Math.log10(least));
  const to = Math.max(from + 1, Math.ceil(Math.log10(most)));
  const decades = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  const ticks = decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]).filter((ms) => ms <= 10 ** to);
  const at = (value: number) => {
    const share = (Math.log10(value) - from) / (to - from);
    return rounded(SIZE.height - FRAME.bottom - share * height);
  };
  return { at, ticks };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
