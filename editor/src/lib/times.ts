/** Times as people read them. */

/** `03:25.4`, with hours where there are any. */
export function position(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100));
  const [hours, minutes, seconds] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
  const tail = `${String(minutes).padStart(2, "0")}:${seconds.toFixed(1).padStart(4, "0")}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}

/** Seconds with one digit, for sentences. */
export function seconds(ms: number, locale: string): string {
  return (ms / 1000).toLocaleString(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** The time of day, as the person's language writes it. */
export function ofDay(moment: number, locale: string): string {
  return new Date(moment).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
}

/** Whole minutes, at least one. */
export function minutes(ms: number): number {
  return Math.max(1, Math.round(ms / 60_000));
}
