/** A copy of what the server does not have yet, as a file. */

import { desk } from "./desk.svelte";

/** Let the browser save the unsent texts; `boli import outbox FILE` takes them in. */
export async function download(): Promise<void> {
  const name = desk.me?.name ?? "";
  const file = new Blob([await desk.outbox.file(name)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `boli-unsent-${new Date().toISOString().slice(0, 16).replaceAll(":", "")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
