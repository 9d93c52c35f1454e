import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generateTypes, TYPES } from "../types";

test("the types of the API are made of its description as it is: `make api` makes them anew", async () => {
  expect(readFileSync(TYPES, "utf-8")).toBe(await generateTypes());
});
