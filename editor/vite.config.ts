import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { budget, precache } from "./build.ts";

export default defineConfig({
  plugins: [svelte(), precache(), budget(64 * 1024)],
  build: {
    outDir: "../transcribe/review/static",
    emptyOutDir: true,
    target: "es2022",
    // What is loaded is precached: links that load ahead would only lengthen the page.
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { page: "index.html", sw: "src/sw.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8756" } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
