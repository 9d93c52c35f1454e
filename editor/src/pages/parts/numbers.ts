/** Numbers as people read them, in the page's language. */

const MINUTE = 60_000;

/** `7.5 s`, `12 min`, or hours from two hours on; one digit below ten. */
export function long(ms: number, tag: string): string {
  const [value, unit] = ms < MINUTE && ms > 0 ? [ms / 1000, "second"] : ms < 120 * MINUTE ? [ms / MINUTE, "minute"] : [ms / 60 / MINUTE, "hour"];
  const digits = value > 0 && value < 10 ? 1 : 0;
  const shape = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "short", ...shape }).format(value);
}

/** A share of 1 as a percentage; a dash where there is none. */
export function share(value: number | null, tag: string, digits = 0): string {
  if (value === null) return "–";
  return value.toLocaleString(tag, { style: "percent", maximumFractionDigits: digits });
}

export function part(of: number, whole: number): number | null {
  return whole === 0 ? null : of / whole;
}

export function money(amount: number, currency: string | null, tag: string): string {
  if (currency === null) return "–";
  try {
    return amount.toLocaleString(tag, { style: "currency", currency });
  } catch {
    // Not one of the world's codes: the project's own word for it.
    return `${amount.toLocaleString(tag, { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${currency}`;
  }
}

/** A day: `31 Jan 2026`. */
export function day(moment: string | number | Date, tag: string): string {
  return new Date(moment).toLocaleDateString(tag, { day: "numeric", month: "short", year: "numeric" });
}

/** A day and the time of day. */
export function when(moment: string, tag: string): string {
  return new Date(moment).toLocaleString(tag, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** `3 days`, `5 hours`, `10 minutes`: how long ago *moment* was. */
export function age(moment: string, now: string, tag: string): string {
  const minutes = Math.max(0, (Date.parse(now) - Date.parse(moment)) / MINUTE);
  const [value, unit] = minutes < 90 ? [minutes, "minute"] : minutes < 36 * 60 ? [minutes / 60, "hour"] : [minutes / 1440, "day"];
  return new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(Math.round(value));
}

/** The day *days* ago, as the server takes it. */
export function daysAgo(days: number, now = new Date()): string {
  return new Date(now.getTime() - days * 86_400_000).toISOString().slice(0, 10);
}
