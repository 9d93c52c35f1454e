import "fake-indexeddb/auto";
import { beforeEach, expect, test } from "vitest";
import { type Database, open } from "../src/lib/database";
import { BATCH, choose, correction, count, Outbox } from "../src/lib/outbox";
import { chance, pick } from "./chance";
import { draftOf, ScriptedServer } from "./desk";

let number = 0;
let database: Database;
let outbox: Outbox;
let server: ScriptedServer;

beforeEach(async () => {
  database = await open(`test-${++number}`);
  let ids = 0;
  outbox = new Outbox(database, "p", { id: () => `operation-${++ids}`, time: () => "2026-11-23T10:00:00.000Z" });
  server = new ScriptedServer();
});

async function send(): Promise<void> {
  for (let sent = await outbox.begin(); sent.length > 0; sent = await outbox.begin()) {
    await outbox.settle(sent, await server.take(sent.map(correction)));
  }
}

test("a text that is not done is kept and not sent", async () => {
  await outbox.save(draftOf("s1", "half", { done: false }));
  await send();
  expect(server.kept.size).toBe(0);
  expect(await outbox.counts()).toEqual({ waiting: 0, conflicts: 0, refused: 0, typing: 1 });
  expect((await outbox.draft("s1"))?.text).toBe("half");
});

test("a text leaves when the server has applied it", async () => {
  await outbox.save(draftOf("s1", "whole"));
  await send();
  expect(server.standing.get("s1")?.text).toBe("whole");
  expect(await outbox.items()).toEqual([]);
  expect((await outbox.draft("s1"))?.base_version).toBe(1);
});

test("changed content gets an id of its own, and replaces what was never sent", async () => {
  await outbox.save(draftOf("s1", "one"));
  const [first] = await outbox.items();
  await outbox.save(draftOf("s1", "two"));
  const items = await outbox.items();
  expect(items.map((item) => item.text)).toEqual(["two"]);
  expect(items[0]?.op_id).not.toBe(first?.op_id);
});

test("saving the same again makes nothing new", async () => {
  await outbox.save(draftOf("s1", "one", { done: false }));
  const [first] = await outbox.items();
  await outbox.save(draftOf("s1", "one"));
  const items = await outbox.items();
  expect(items).toHaveLength(1);
  expect(items[0]?.op_id).toBe(first?.op_id);
  expect(items[0]?.state).toBe("waiting");
});

test("what is in flight is never replaced, and what follows builds on its version", async () => {
  await outbox.save(draftOf("s1", "one"));
  const sent = await outbox.begin();
  await outbox.save(draftOf("s1", "two"));
  expect((await outbox.items()).map((item) => [item.text, item.state])).toEqual([["one", "flying"], ["two", "waiting"]]);
  expect(await outbox.begin()).toEqual([]);
  await outbox.settle(sent, await server.take(sent.map(correction)));
  await send();
  expect(server.standing.get("s1")).toEqual({ version: 2, text: "two" });
  expect(await outbox.items()).toEqual([]);
});

test("a screen that knows nothing of the sending goes on from the server's version all the same", async () => {
  const shown = draftOf("s1", "one");
  await outbox.save(shown);
  await send();
  await outbox.save({ ...shown, text: "two" });
  await send();
  expect(server.standing.get("s1")).toEqual({ version: 2, text: "two" });
});

test("a new hold on a segment is what its text is sent under", async () => {
  await outbox.save(draftOf("s1", "one", { done: false }));
  await outbox.save(draftOf("s1", "one", { fence: 2, done: false }));
  expect((await outbox.items()).map((item) => item.fence)).toEqual([2]);
});

test("typing back to what is in flight leaves nothing else to send", async () => {
  await outbox.save(draftOf("s1", "one"));
  const sent = await outbox.begin();
  await outbox.save(draftOf("s1", "two"));
  await outbox.save(draftOf("s1", "one"));
  expect((await outbox.items()).map((item) => item.text)).toEqual(["one"]);
  await outbox.settle(sent, await server.take(sent.map(correction)));
  expect(await outbox.items()).toEqual([]);
});

test("a lost answer is asked for again with the same id and the same body", async () => {
  await outbox.save(draftOf("s1", "one"));
  const sent = await outbox.begin();
  await server.take(sent.map(correction));
  await outbox.lost(sent);
  await outbox.save(draftOf("s1", "two", { active_ms: 900 }));
  await send();
  expect(server.reused).toBe(0);
  expect(server.standing.get("s1")?.text).toBe("two");
});

test("a tab that was closed in the middle of sending leaves nothing in the air", async () => {
  await outbox.save(draftOf("s1", "one"));
  await outbox.begin();
  const later = new Outbox(database, "p");
  await later.recover();
  expect((await later.begin()).map((item) => item.text)).toEqual(["one"]);
});

test("a conflict waits for the person, and keeps the segment from being sent on", async () => {
  server.overtake("s1", "theirs");
  await outbox.save(draftOf("s1", "mine"));
  await send();
  const [item] = await outbox.items();
  expect(item?.state).toBe("conflict");
  expect(item?.server).toEqual({ version: 1, text: "theirs" });
  await outbox.save(draftOf("s1", "mine, better"));
  expect(await outbox.begin()).toEqual([]);
});

test.each([["mine", "mine"], [null, "theirs"], ["both", "both"]])("a conflict ends with %s", async (chosen, stands) => {
  server.overtake("s1", "theirs");
  await outbox.save(draftOf("s1", "mine"));
  await send();
  const [item] = await outbox.items();
  const draft = await outbox.resolve(item!, chosen, true);
  await send();
  expect(draft.text).toBe(stands);
  expect(server.standing.get("s1")?.text).toBe(stands);
  expect(await outbox.items()).toEqual([]);
});

test("a rejected text stays with its reason", async () => {
  await outbox.save(draftOf("s1", "one"));
  const sent = await outbox.begin();
  const told = await outbox.settle(sent, [{ op_id: sent[0]!.op_id, status: "rejected", reason: "too_long" }]);
  expect(told).toHaveLength(1);
  expect((await outbox.items())[0]).toMatchObject({ state: "refused", reason: "too_long" });
  expect((await outbox.counts()).refused).toBe(1);
});

test("a text whose hash the server tells otherwise stays", async () => {
  await outbox.save(draftOf("s1", "one"));
  const sent = await outbox.begin();
  await outbox.settle(sent, [{ op_id: sent[0]!.op_id, status: "applied", version: 1, text_sha256: "0".repeat(64) }]);
  expect((await outbox.items())[0]).toMatchObject({ state: "refused", reason: "differs" });
});

test("a late text leaves, and its writer hears of it", async () => {
  await outbox.save(draftOf("s1", "one"));
  const sent = await outbox.begin();
  const [applied] = await server.take(sent.map(correction));
  const told = await outbox.settle(sent, [{ ...applied!, status: "late" }]);
  expect(told.map((each) => each.outcome.status)).toEqual(["late"]);
  expect(await outbox.items()).toEqual([]);
});

test("texts are sent as NFC and kept as typed", async () => {
  await outbox.save(draftOf("s1", "प\u0958"));
  expect((await outbox.items())[0]?.text).toBe("प\u0915\u093c");
  expect((await outbox.draft("s1"))?.text).toBe("प\u0958");
});

test("people on one computer keep their texts apart", async () => {
  const other = new Outbox(database, "q");
  await outbox.save(draftOf("s1", "mine"));
  await other.save(draftOf("s1", "hers", { person: "q" }));
  expect((await outbox.items()).map((item) => item.text)).toEqual(["mine"]);
  expect((await other.draft("s1"))?.text).toBe("hers");
});

test("a batch has at most twenty texts, the oldest first, one of a segment", async () => {
  for (let at = 0; at < 30; at++) await outbox.save(draftOf(`s${at}`, `text ${at}`));
  const chosen = choose(await outbox.items());
  expect(chosen).toHaveLength(BATCH);
  expect(chosen.map((item) => item.text)).toEqual(Array.from({ length: BATCH }, (_, at) => `text ${at}`));
});

test("the file holds all that was not sent", async () => {
  await outbox.save(draftOf("s1", "one"));
  await outbox.save(draftOf("s2", "two", { done: false }));
  const file = JSON.parse(await outbox.file("asha")) as { operations: { text: string; state: string }[] };
  expect(file.operations.map(({ text, state }) => [text, state])).toEqual([["one", "waiting"], ["two", "typing"]]);
});

test("what was passed on is gone, unless it may have arrived", async () => {
  await outbox.save(draftOf("s1", "one"));
  await outbox.begin();
  await outbox.save(draftOf("s2", "two"));
  await outbox.drop("s1");
  await outbox.drop("s2");
  expect((await outbox.items()).map((item) => item.text)).toEqual(["one"]);
});

// Whatever the line does, and whenever the tab dies: the last text that was said to be done is what stands, each id
// stands for one body, and nothing is left over.
test.each(Array.from({ length: 60 }, (_, seed) => seed))("nothing is lost or doubled on a bad line, run %i", async (seed) => {
  const draw = chance(seed);
  const last = new Map<string, string>();
  let flying: Awaited<ReturnType<Outbox["begin"]>> = [];
  for (let turn = 0; turn < 40; turn++) {
    const segment = pick(["s1", "s2", "s3"], draw);
    const deed = pick(["type", "type", "finish", "send", "arrive", "answer", "die"] as const, draw);
    if (deed === "type" || deed === "finish") {
      const text = `${segment} ${Math.floor(draw() * 6)}`;
      const before = await outbox.draft(segment);
      const facts = { base_version: before?.base_version ?? 0, done: deed === "finish", active_ms: turn };
      await outbox.save(draftOf(segment, text, facts));
      if (deed === "finish") last.set(segment, text);
    } else if (deed === "send" && flying.length === 0) flying = await outbox.begin();
    else if (deed === "arrive") await server.take(flying.map(correction));
    else if (deed === "answer") {
      await outbox.settle(flying, await server.take(flying.map(correction)));
      flying = [];
    } else if (deed === "die") {
      // The line drops or the tab is closed: what was in the air may have arrived or not.
      if (draw() < 0.5) await server.take(flying.map(correction));
      await outbox.recover();
      flying = [];
    }
    expect(count(await outbox.items()).conflicts).toBe(0);
  }
  await outbox.recover();
  for (const [segment, text] of last) {
    const draft = (await outbox.draft(segment))!;
    await outbox.save({ ...draft, text, done: true });
  }
  await send();
  expect(server.reused).toBe(0);
  for (const [segment, text] of last) expect(server.standing.get(segment)?.text).toBe(text);
  expect((await outbox.items()).filter((item) => last.has(item.segment))).toEqual([]);
});
