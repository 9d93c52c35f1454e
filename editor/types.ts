/** The types of the desk's API, made of its description: `make api` writes both anew. */

import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";

const DESCRIPTION = new URL("openapi.json", import.meta.url);
export const TYPES = new URL("src/lib/schemas.ts", import.meta.url);
const HEADER = `/**
 * The shapes of the desk's API. Made of \`editor/openapi.json\`, which is made of
 * the pydantic models in \`transcribe/desk/\`: change those, then run \`make api\`.
 */

`;

/** Return the types of everything that the API sends and takes. Its routes are left out: the screen names them itself. */
export async function generateTypes(): Promise<string> {
  const description = JSON.parse(readFileSync(DESCRIPTION, "utf-8")) as OpenAPI3;
  const nodes = await openapiTS({ ...description, paths: {} }, {
    // A field with a default may be left out of a request; of an answer the description says that it is there.
    defaultNonNullable: false,
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
  });
  return HEADER + astToString(nodes);
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TYPES, await generateTypes());
