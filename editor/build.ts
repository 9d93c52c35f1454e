/** What the build adds: the service worker's list of files, and the limit of what a first visit loads. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, Rolldown } from "vite";

type Bundle = Rolldown.OutputBundle;

/** Files that stand beside the page under names of their own. */
const BESIDE = ["icon.svg", "manifest.webmanifest"];
const FILES = "__BOLI_FILES__";

/** Write into the service worker which files the shell is made of, and a name that changes with any of them. */
export function precache(): Plugin {
  return {
    name: "boli-precache",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") throw new Error("the service worker was not built");
      const built = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
      const whole = createHash("sha256");
      for (const name of [...built, "index.html"].sort()) whole.update(name).update(content(bundle, name));
      for (const name of BESIDE) whole.update(readFileSync(join("public", name)));
      const list = { version: whole.digest("hex").slice(0, 12), files: ["/", ...[...built, ...BESIDE].map((n) => `/${n}`)] };
      if (!worker.code.includes(FILES)) throw new Error("the service worker has no place for its list of files");
      worker.code = worker.code.replace(FILES, () => JSON.stringify(list).replaceAll('"', '\\"'));
    },
  };
}

/** Fail the build where a first visit loads more than *limit* bytes, packed. */
export function budget(limit: number): Plugin {
  return {
    name: "boli-budget",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const sizes = [...shell(bundle), ...BESIDE].map((name): [string, number] => {
        const bytes = name in bundle ? content(bundle, name) : readFileSync(join("public", name));
        return [name, gzipSync(bytes, { level: 6 }).length];
      });
      const total = sizes.reduce((sum, [, size]) => sum + size, 0);
      const told = sizes.map(([name, size]) => `${name} ${kilobytes(size)}`).join(", ");
      if (total > limit) throw new Error(`the shell has ${kilobytes(total)} of ${kilobytes(limit)} packed: ${told}`);
      this.info(`the shell has ${kilobytes(total)} of ${kilobytes(limit)} packed: ${told}`);
    },
  };
}

/** The page, and every script and style sheet that it needs before it can be used. */
function shell(bundle: Bundle): string[] {
  const found = new Set<string>(["index.html"]);
  const visit = (name: string): void => {
    const chunk = bundle[name];
    if (found.has(name) || chunk?.type !== "chunk") return;
    found.add(name);
    chunk.imports.forEach(visit);
    const styles = (chunk as { viteMetadata?: { importedCss: Set<string> } }).viteMetadata?.importedCss;
    styles?.forEach((style) => found.add(style));
  };
  for (const chunk of Object.values(bundle)) {
    if (chunk.type === "chunk" && chunk.isEntry && chunk.name === "page") visit(chunk.fileName);
  }
  return [...found];
}

function content(bundle: Bundle, name: string): string | Uint8Array {
  const file = bundle[name];
  if (file === undefined) throw new Error(`${name} was not built`);
  return file.type === "chunk" ? file.code : file.source;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
