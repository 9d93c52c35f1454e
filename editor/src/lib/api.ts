/** The line to the server: one place that knows of cookies, packed bodies and what an error looks like. */

import { clock } from "./clock";
import type {
  Correction, ErrorOut, Guide, Heartbeat, History, Lease, LeaseAsk, Me, Outcome, OwnWork, Peaks, Reshape, Reshaped, Segment,
  Shading, SignIn, SkipReason,
} from "./wire";

/** The server answered, and not with what was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
    /** Milliseconds that the server asks to wait. */
    readonly wait: number | null,
  ) {
    super(message);
  }
}

/** Nothing came back: no line, or no server at its end. */
export class Unreachable extends Error {}

/** Milliseconds after which a request counts as lost on the way; texts are small, and are sent again. */
const PATIENCE = 30_000;
/** Bodies of more bytes are packed. */
const PACK_FROM = 800;

let csrf: string | null = null;
let person: string | null = null;

/** What goes back with every change, and whose it is; comes with the session. */
export function trust(me: Pick<Me, "id" | "csrf"> | null): void {
  csrf = me?.csrf ?? null;
  person = me?.id ?? null;
}

/** Ask the server; a change without what lets it in, as after a start without a line, asks for that first. */
export async function request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const changes = method !== "GET" && !(method === "POST" && OPEN.has(path));
  if (changes && csrf === null) await renew();
  try {
    return await ask(method, path, body, signal);
  } catch (error) {
    if (!changes || !(error instanceof Refused) || error.code !== "E_CSRF") throw error;
    // Somebody signed in anew in another tab.
    await renew();
    return ask(method, path, body, signal);
  }
}

const SESSION = "/api/v1/session";
/** Where somebody goes who is not signed in yet: by name and password, or by a link of invitation. */
const OPEN: ReadonlySet<string> = new Set([SESSION, "/api/v1/invitations", "/api/v1/invitations/look"]);

async function renew(): Promise<void> {
  const me = await whole(ask("GET", SESSION), (answer) => answer.json() as Promise<Me>);
  // Texts of one person are never sent as another's who signed in meanwhile.
  if (person !== null && me.id !== person) throw new Refused(401, "E_SIGN_IN", "somebody else is signed in", null, null);
  csrf = me.csrf;
}

async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = new Headers({ accept: "application/json" });
  if (csrf !== null) headers.set("x-boli-csrf", csrf);
  let packed: BodyInit | null = null;
  if (body !== undefined) {
    headers.set("content-type", "application/json");
    packed = await pack(JSON.stringify(body), headers);
  }
  const limit = AbortSignal.timeout(PATIENCE);
  const stop = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body: packed, signal: stop, credentials: "same-origin" });
  } catch (error) {
    throw new Unreachable(String(error));
  }
  clock.heard(answer.headers.get("date"));
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

export function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return whole(request(method, `/api/v1/${path}`, body), (answer) => answer.json() as Promise<T>);
}

/** All of an answer's body. */
async function whole<T>(asked: Promise<Response>, read: (answer: Response) => Promise<T>): Promise<T> {
  const answer = await asked;
  try {
    return await read(answer);
  } catch (error) {
    // A line that broke off in the middle, or a wall of a hotel's network that answers for everybody.
    throw new Unreachable(String(error));
  }
}

export const api = {
  session: () => json<Me>("GET", "session"),
  signIn: (name: string, password: string) => json<Me>("POST", "session", { name, password } satisfies SignIn),
  signOut: () => request("DELETE", "/api/v1/session"),
  take: (count: number, offline: boolean) => json<Lease[]>("POST", "leases", { count, offline } satisfies LeaseAsk),
  held: () => json<Lease[]>("GET", "leases"),
  takeAgain: (segments: string[]) =>
    json<Lease[]>("POST", "leases", { count: segments.length, segments } satisfies LeaseAsk),
  renew: (lease: string) => json<Heartbeat>("PUT", `leases/${lease}`),
  giveBack: (lease: string, reason?: SkipReason) =>
    request("DELETE", `/api/v1/leases/${lease}${reason === undefined ? "" : `?reason=${reason}`}`),
  send: (texts: Correction[]) => json<Outcome[]>("POST", "corrections", texts),
  reshape: (step: Reshape) => json<Reshaped>("POST", "reshapes", step),
  segment: (id: string) => json<Segment>("GET", `segments/${id}`),
  guide: (dialect: string) => json<Guide>("GET", `guides/${encodeURIComponent(dialect)}`),
  doubts: (dialect: string) => json<Shading>("GET", `doubts/${encodeURIComponent(dialect)}`),
  history: (id: string) => json<History>("GET", `segments/${id}/history`),
  peaks: (url: string) => whole(request("GET", url), (answer) => answer.json() as Promise<Peaks>),
  sound: (url: string) => whole(request("GET", url), (answer) => answer.blob()),
  myWork: () => json<OwnWork>("GET", "people/me/work"),
};

async function pack(text: string, headers: Headers): Promise<BodyInit> {
  if (text.length < PACK_FROM || !("CompressionStream" in globalThis)) return text;
  headers.set("content-encoding", "gzip");
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

async function refusal(answer: Response): Promise<Refused> {
  const wait = Number(answer.headers.get("retry-after"));
  let told: Partial<ErrorOut["error"]> = {};
  try {
    told = ((await answer.json()) as Partial<ErrorOut>).error ?? {};
  } catch {
    // A proxy's page is no error of ours; its status says enough.
  }
  return new Refused(
    answer.status,
    told.code ?? "E_STATUS",
    told.message ?? answer.statusText,
    told.hint ?? null,
    Number.isFinite(wait) && wait > 0 ? wait * 1000 : null,
  );
}
