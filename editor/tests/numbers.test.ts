import { expect, test } from "vitest";
import { age, daysAgo, long, money, part, share } from "../src/pages/parts/numbers";

const NOW = "2026-01-31T12:00:00.000Z";

test.each([
  [0, "0 min"], [1_900, "1.9 sec"], [59_000, "59 sec"], [90_000, "1.5 min"], [3_600_000, "60 min"], [9_000_000, "2.5 hr"], [90_000_000, "25 hr"],
])("%i ms are %s", (ms, text) => expect(long(ms, "en")).toBe(text));

test("a share of nothing is nothing, not zero", () => {
  expect(share(part(1, 0), "en")).toBe("–");
  expect(share(part(1, 3), "en", 1)).toBe("33.3%");
});

test("an amount without a currency is not shown, and a word of the project's own is kept", () => {
  expect(money(3, null, "en")).toBe("–");
  expect(money(3, "INR", "en-IN")).toBe("₹3.00");
  expect(money(3, "points", "en")).toBe("3.00 points");
});

test.each([
  ["2026-01-31T11:59:00.000Z", "1 minute"], ["2026-01-31T09:00:00.000Z", "3 hours"], ["2026-01-28T12:00:00.000Z", "3 days"],
  ["2026-02-28T12:00:00.000Z", "0 minutes"],
])("what waits since %s waits %s", (since, text) => expect(age(since, NOW, "en")).toBe(text));

test("a period begins on a whole day", () => expect(daysAgo(31, new Date(NOW))).toBe("2025-12-31"));
