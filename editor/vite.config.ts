import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { budget, precache } from "./build.ts";

export default defineConfig({
  plugins: [svelte(), precache(), budget(64 * 1024)],
  build: {
    outDir: "../transcribe/desk/static",
    emptyOutDir: true,
    target: "es2022",
    // The page names its scripts all at once: found one behind the other, each would cost a slow line another round.
    // What is loaded later is precached, and needs no such links.
    modulePreload: { polyfill: false, resolveDependencies: (_, files, { hostType }) => (hostType === "html" ? files : []) },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { page: "index.html", sw: "src/sw.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8756" } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
