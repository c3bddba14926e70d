// The real program: target/debug/tenon, or the one that TENON names.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { hasChromium } from "./browser.mjs";

export const PROGRAM = process.env.TENON ?? fileURLToPath(new URL("../../target/debug/tenon", import.meta.url));

/** Why its pages cannot be tried here; null where they can. */
export const missing = !hasChromium() ? "no chromium" : existsSync(PROGRAM) ? null : `no program at ${PROGRAM}`;

/** Starts `tenon up` with these words and this environment, and gives the link that it prints. */
export async function up(words, env) {
  const server = spawn(PROGRAM, ["up", ...words], { env, stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: server.stdout })) {
    const link = /http\S+#token=\S+/.exec(line)?.[0];
    if (link) return { server, link };
  }
  throw new Error(`tenon up ${words[0]} printed no link`);
}

/** The demonstration, in this folder. */
export const demonstrated = (folder) =>
  up(["--demo", "--demo-pace", "600", "--data", join(folder, "demo"), "--listen", "127.0.0.1:0"], { HOME: folder, USER: "visitor" });
