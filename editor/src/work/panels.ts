/** What can be opened beside the text, and its words. */

import { bring, type Files } from "../lib/i18n.svelte";

export type PanelName = "keys" | "settings" | "history" | "guide";

const WORDS: Files = {
  en: () => import("../messages/panels/en.json"),
  hi: () => import("../messages/panels/hi.json"),
  ta: () => import("../messages/panels/ta.json"),
};

/** Have the words of what is opened beside the text. */
export function words(): Promise<void> {
  return bring(WORDS);
}
