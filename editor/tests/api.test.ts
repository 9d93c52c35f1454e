/** A line that breaks off in the middle of an answer is no line: nothing else is made of it. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, Unreachable } from "../src/lib/api";

/** Says that more will come than comes. */
const server: Server = createServer((_, answer) => {
  answer.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
  answer.write('{"peaks": [', () => answer.destroy());
});
let place = "";

beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  place = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test("half a waveform is none", async () => {
  await expect(api.peaks(place)).rejects.toBeInstanceOf(Unreachable);
});

test("half a sound is none", async () => {
  await expect(api.sound(place)).rejects.toBeInstanceOf(Unreachable);
});
