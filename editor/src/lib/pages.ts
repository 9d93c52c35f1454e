/** The desk's pages beside the transcriber's: a file in `pages/` or `lead/` each, fetched when it is first opened. */

import type { Component } from "svelte";
import { bring, type Files } from "./i18n.svelte";
import type { Permission } from "./wire";

type Loader = () => Promise<{ default: Component }>;

const FILES = import.meta.glob<{ default: Component }>(["../pages/*.svelte", "../lead/*.svelte"]);

export interface Page {
  /** The address after `#`. */
  path: string;
  /** Key of its name in the navigation. */
  name: string;
  /** Who sees it: any of these permissions; empty: everybody. */
  permissions: readonly Permission[];
  /** Whether it has a place in the navigation; a page below another one is reached from there. */
  first: boolean;
  load: Loader;
}

const WORDS: Files = {
  en: () => import("../messages/pages/en.json"),
  hi: () => import("../messages/pages/hi.json"),
  ta: () => import("../messages/pages/ta.json"),
};

/** In the order of the navigation; a page whose file is not there is left out. */
export const PAGES: readonly Page[] = [
  page("/review", "nav.review", ["review"], "../pages/Review.svelte"),
  page("/mine", "nav.mine", ["work"], "../pages/MyWork.svelte"),
  page("/lead", "nav.lead", ["progress"], "../lead/Progress.svelte"),
  page("/lead/quality", "nav.quality", ["progress"], "../lead/Quality.svelte", false),
  page("/lead/pay", "nav.pay", ["people"], "../lead/Pay.svelte", false),
  page("/lead/heard", "nav.heard", ["people"], "../lead/Heard.svelte", false),
  page("/lead/people", "nav.people", ["people"], "../lead/People.svelte", false),
  page("/lead/settings", "nav.settings", ["people"], "../lead/Settings.svelte", false),
].filter((each): each is Page => each !== null);

/** The page for whoever opens a link of invitation, signed in or not. */
export const WELCOME = page("/welcome", "nav.welcome", [], "../pages/Welcome.svelte", false);

/** One segment that a report or a message names; its id follows in the address. */
export const SEGMENT = page("/segment", "segment.title", ["work", "review"], "../pages/OneSegment.svelte", false);

function page(path: string, name: string, permissions: readonly Permission[], file: string, first = true): Page | null {
  const found = FILES[file];
  if (found === undefined) return null;
  return { path, name, permissions, first, load: () => bring(WORDS).then(found) };
}
