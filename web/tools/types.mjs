// Writes src/api.gen.ts from openapi.json, so that the page cannot disagree with the API about a field's name or
// whether it may be absent. With --check it writes nothing and fails when the file is stale.
import { readFileSync, writeFileSync } from "node:fs";

const document = JSON.parse(readFileSync(new URL("../openapi.json", import.meta.url), "utf8"));
const target = new URL("../src/api.gen.ts", import.meta.url);

const name = (reference) => reference.split("/").at(-1);

const scalars = { string: "string", integer: "number", number: "number", boolean: "boolean", null: "null" };

/** One schema as a TypeScript type. What this does not know stops it: a guess would be a wrong type. */
function type(schema, indent) {
  if (schema === true || schema === undefined || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) return name(schema.$ref);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.allOf) return schema.allOf.map((part) => type(part, indent)).join(" & ");
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) return [...new Set(choice.map((part) => type(part, indent)))].join(" | ");
  if (Array.isArray(schema.type)) {
    return schema.type.map((one) => type({ ...schema, type: one }, indent)).join(" | ");
  }
  if (schema.type === "array") {
    const item = type(schema.items, indent);
    return item.includes(" ") ? `(${item})[]` : `${item}[]`;
  }
  if (schema.type === "object" && schema.properties) return object(schema, indent);
  if (schema.type === "object") return `Record<string, ${type(schema.additionalProperties, indent)}>`;
  const scalar = scalars[schema.type];
  if (!scalar) throw new Error(`types.mjs does not know this schema: ${JSON.stringify(schema)}`);
  return scalar;
}

function object(schema, indent) {
  const inner = `${indent}  `;
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties).map(([key, value]) => {
    const field = /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key);
    return `${comment(value, inner)}${inner}${field}${required.has(key) ? "" : "?"}: ${type(value, inner)};\n`;
  });
  return `{\n${fields.join("")}${indent}}`;
}

function comment(schema, indent) {
  const text = schema.description?.trim().replaceAll("*/", "* /");
  if (!text) return "";
  const lines = text.split("\n").map((line) => line.trim());
  return lines.length === 1
    ? `${indent}/** ${lines[0]} */\n`
    : `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`;
}

const schemas = Object.entries(document.components?.schemas ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
const text = [
  "// Generated from openapi.json by `npm run types`: do not edit.\n",
  ...schemas.map(([key, schema]) => `${comment(schema, "")}export type ${key} = ${type(schema, "")};\n`),
].join("\n");

if (process.argv.includes("--check")) {
  let present = "";
  try {
    present = readFileSync(target, "utf8");
  } catch {
    // Absent counts as stale.
  }
  if (present !== text) {
    console.error("src/api.gen.ts is stale: run `npm run types` and commit the result");
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
