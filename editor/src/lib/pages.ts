/** The desk's pages beside the transcriber's: a file in `pages/` or `lead/` each, fetched when it is first opened. */

import type { Component } from "svelte";

type Loader = () => Promise<{ default: Component }>;

const FILES = import.meta.glob<{ default: Component }>(["../pages/*.svelte", "../lead/*.svelte"]);

export interface Page {
  /** The address after `#`. */
  path: string;
  /** Key of its name in the navigation. */
  name: string;
  /** Who sees it: any of these permissions; empty: everybody. */
  permissions: readonly string[];
  load: Loader;
}

/** In the order of the navigation; a page whose file is not there is left out. */
export const PAGES: readonly Page[] = [
  page("/review", "nav.review", ["review"], "../pages/Review.svelte"),
  page("/mine", "nav.mine", ["work"], "../pages/MyWork.svelte"),
  page("/lead", "nav.lead", ["progress"], "../lead/Lead.svelte"),
  page("/lead/people", "nav.people", ["people"], "../lead/People.svelte"),
].filter((each): each is Page => each !== null);

function page(path: string, name: string, permissions: readonly string[], file: string): Page | null {
  const load = FILES[file];
  return load === undefined ? null : { path, name, permissions, load };
}
