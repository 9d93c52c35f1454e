/** Phonetic typing in a text field: what keys give is put where they were typed, and can be undone like any typing. */

import type { Layout } from "./layouts";
import { back, press, type Run, spells } from "./phonetic";

/** Let keys in the fields of *root* where speech is written be spellings of *layout*, until what this gives is called. */
export function attach(root: HTMLElement, layout: Layout): () => void {
  let run: Run | null = null;
  let putting = false;

  function typed(event: InputEvent): void {
    const box = event.target;
    // What an input method composes is its own; so is what is pasted, dropped or undone.
    if (putting || event.isComposing || !(box instanceof HTMLTextAreaElement) || !box.classList.contains("spoken")) return;
    const caret = box.selectionStart;
    const at = run;
    run = null;
    if (event.inputType === "deleteContentBackward" && box.selectionEnd === caret) run = back(at, box.value, caret, layout);
    else if (event.inputType === "insertText" && event.data !== null && spells(event.data, layout)) {
      run = press(box.selectionEnd === caret ? at : null, event.data, box.value, caret, layout);
    }
    if (run === null) return;
    event.preventDefault();
    put(box, run, run.start === at?.start ? at : null);
  }

  function put(box: HTMLTextAreaElement, now: Run, before: Run | null): void {
    putting = true;
    const end = before === null ? box.selectionEnd : before.start + before.shown.length;
    box.setSelectionRange(now.start, end);
    // Old, and the one way to type so that the browser's own undo knows of it.
    const done = now.shown === "" ? document.execCommand("delete") : document.execCommand("insertText", false, now.shown);
    if (!done) {
      box.setRangeText(now.shown, now.start, end, "end");
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }
    putting = false;
  }

  /** Undoing what stands in place of something else selects it, and the next key would take it away. */
  function undone(event: Event): void {
    const box = event.target;
    if (!(box instanceof HTMLTextAreaElement) || !(event as InputEvent).inputType?.startsWith("history")) return;
    box.setSelectionRange(box.selectionEnd, box.selectionEnd);
  }

  function ended(): void {
    run = null;
  }

  root.addEventListener("beforeinput", typed);
  root.addEventListener("input", undone);
  root.addEventListener("compositionstart", ended);
  root.addEventListener("focusout", ended);
  return () => {
    root.removeEventListener("beforeinput", typed);
    root.removeEventListener("input", undone);
    root.removeEventListener("compositionstart", ended);
    root.removeEventListener("focusout", ended);
  };
}
