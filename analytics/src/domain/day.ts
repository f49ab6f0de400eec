/** Calendar days in UTC, as YYYY-MM-DD. Sorted as texts they are in the order of the days. */

const DAY_MS = 24 * 60 * 60 * 1000;

export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** True if the text is an existing day. The 30th of February is not. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const moment = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(moment.getTime()) && dayOf(moment) === text;
}

/** The number of days from the first to the second day. Negative if the second is earlier. */
export function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS;
}

export function daysBefore(day: string, count: number): string {
  return dayOf(new Date(Date.parse(day) - count * DAY_MS));
}
