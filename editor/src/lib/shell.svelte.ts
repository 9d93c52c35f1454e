/** The page itself, kept for work without a line, and a newer one taken only when nothing of a person's waits. */

class Shell {
  /** A newer page lies ready. */
  newer = $state(false);
  #registration: ServiceWorkerRegistration | null = null;
  #asked = false;

  /** Keep the page, once; where browsers forbid it, the desk works with a line only. */
  async keep(): Promise<void> {
    if (this.#asked || !("serviceWorker" in navigator) || !import.meta.env.PROD) return;
    this.#asked = true;
    try {
      this.#registration = await navigator.serviceWorker.register("/sw.js");
    } catch {
      return;
    }
    const registration = this.#registration;
    this.newer = registration.waiting !== null;
    registration.addEventListener("updatefound", () => {
      const fresh = registration.installing;
      fresh?.addEventListener("statechange", () => {
        // The first one ever is no newer one.
        if (fresh.state === "installed" && navigator.serviceWorker.controller !== null) this.newer = true;
      });
    });
  }

  /** Change to the newer page, where *unsent* is nothing. */
  renew(unsent: number): boolean {
    const waiting = this.#registration?.waiting;
    if (unsent > 0 || waiting === null || waiting === undefined) return false;
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    waiting.postMessage("take over");
    return true;
  }
}

export const shell = new Shell();
