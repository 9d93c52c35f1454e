/** What the screen says of the line is what the server answered last, and nothing that nobody asked it. */

import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refused, Unreachable } from "../src/lib/api";
import { open } from "../src/lib/database";
import { Outbox } from "../src/lib/outbox";
import { type Line, Sender, type Told } from "../src/lib/sending";
import type { Correction, Outcome } from "../src/lib/wire";
import { draftOf, ScriptedServer } from "./desk";

const SIGNED_OUT = new Refused(401, "E_SIGN_IN", "nobody is signed in", null, null);
let number = 0;
let outbox: Outbox;
let told: Told & { line: Line };
let failure: Error | null;
let asked: number;
let sender: Sender;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  let ids = 0;
  outbox = new Outbox(await open(`sending-${++number}`), "p", { id: () => `operation-${++ids}`, time: () => "2026-11-23T10:00:00.000Z" });
  told = { line: "good", changed: () => undefined, outcome: () => undefined };
  failure = null;
  asked = 0;
  const server = new ScriptedServer();
  const send = (texts: Correction[]): Promise<Outcome[]> => (failure === null ? server.take(texts) : Promise.reject(failure));
  const ask = (): Promise<void> => {
    asked += 1;
    return failure === null ? Promise.resolve() : Promise.reject(failure);
  };
  sender = new Sender(outbox, told, send, ask);
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

test("who is signed out is told so until they are in, though nothing waits to be sent", async () => {
  [told.line, failure] = ["sign-in", SIGNED_OUT];
  await sender.go();
  await sender.go();
  expect([told.line, asked]).toEqual(["sign-in", 2]);
  failure = null;
  await sender.go();
  expect([told.line, asked]).toEqual(["good", 3]);
});

test("on a good line with nothing to send nothing is asked", async () => {
  await sender.go();
  expect([told.line, asked]).toEqual(["good", 0]);
});

test("a text that does not get through says how the line is, and stays", async () => {
  await outbox.save(draftOf("s1", "whole"));
  failure = new Unreachable("no line");
  await sender.go();
  expect([told.line, (await outbox.counts()).waiting, asked]).toEqual(["offline", 1, 0]);
  failure = null;
  await sender.go();
  expect([told.line, (await outbox.counts()).waiting, asked]).toEqual(["good", 0, 0]);
});
