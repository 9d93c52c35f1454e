/** What the reviewer's and the lead's pages ask of the server. */

import { json, request } from "../../lib/api";
import type {
  AnswerIn, Decided, HeardPage, Invitation, Objection, ObjectionIn, Outcome, OwnPay, OwnWork, Pay, PersonChange, PersonIn,
  Productivity, Progress, QualityOut, Reason, SettingsOut, Somebody, ToReview, Verdict,
} from "../../lib/wire";

export const REASONS: readonly Reason[] = ["misheard", "spelling", "dialect_form", "speaker", "boundary", "tag", "typing"];

export interface Period {
  since: string;
  until: string;
}

export const ask = {
  toReview: () => json<ToReview>("GET", "review/next"),
  decide: (verdict: Verdict) => json<Outcome>("POST", "verdicts", verdict),
  ownWork: () => json<OwnWork>("GET", `people/me/work?offset_min=${-new Date().getTimezoneOffset()}`),
  decisions: () => json<Decided[]>("GET", "people/me/decisions"),
  ownPay: (period: Period) => json<OwnPay>("GET", `people/me/pay?${within(period)}`),
  objectTo: (segment: string, note: string) => json<Objection>("POST", "people/me/objections", { segment, note } satisfies ObjectionIn),
  progress: () => json<Progress>("GET", "progress"),
  quality: (period: Period) => json<QualityOut>("GET", `quality?${within(period)}`),
  productivity: (period: Period) => json<Productivity>("GET", `productivity?${within(period)}`),
  pay: (period: Period) => json<Pay>("GET", `pay?${within(period)}`),
  objections: () => json<Objection[]>("GET", "objections?waiting=true"),
  answer: (id: string, answer: AnswerIn) => json<Objection>("POST", `objections/${id}`, answer),
  heard: (wanted: Record<string, string>) =>
    json<HeardPage>("GET", `heard?${new URLSearchParams(wanted)}`),
  people: () => json<Somebody[]>("GET", "people"),
  add: (person: PersonIn) => json<Invitation>("POST", "people", person),
  change: (id: string, changes: PersonChange) =>
    json<Somebody[]>("PATCH", `people/${id}`, changes),
  invite: (id: string) => json<Invitation>("POST", `people/${id}/invitation`),
  settings: () => json<SettingsOut>("GET", "settings"),
  set: (values: Record<string, unknown>) => json<SettingsOut>("PATCH", "settings", values),
};

/** Where a table comes from as a file for a spreadsheet. */
export function csvOf(name: "pay" | "productivity" | "heard", wanted: Record<string, string>): string {
  return `/api/v1/${name}?${new URLSearchParams({ ...wanted, format: "csv" })}`;
}

export function within(period: Period): string {
  const given = Object.entries(period).filter(([, day]) => day !== "");
  return new URLSearchParams(given).toString();
}

export { request };
