/**
 * Keeps the page itself, so that the desk opens without a line. Nothing of the API is ever kept here: texts live in
 * the page's database, sound in its memory.
 */

/** The shell's files, by a name that changes with any of them; written in by the build. */
const SHELL = JSON.parse("__BOLI_FILES__") as { version: string; files: string[] };
const NAME = `boli-shell-${SHELL.version}`;

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(NAME).then((cache) => cache.addAll(SHELL.files.map(fresh))),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(tidy());
});

// A new page takes over when the old one says that nothing waits to be sent, or at the next start.
worker.addEventListener("message", (event) => {
  if (event.data === "take over") void worker.skipWaiting();
});

worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  if (event.request.mode === "navigate") event.respondWith(kept("/", event.request));
  else if (SHELL.files.includes(url.pathname)) event.respondWith(kept(url.pathname, event.request));
});

/** Assets never change under their name, and this page has just loaded them; the rest is asked for anew. */
function fresh(file: string): Request {
  return new Request(file, file.startsWith("/assets/") ? {} : { cache: "reload" });
}

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match(path)) ?? fetch(request);
}

async function tidy(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith("boli-shell-") && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}
