// Chromium for the tests: the system's own, never a download.
import { accessSync, constants } from "node:fs";

import { chromium } from "playwright-core";

const PROGRAM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function hasChromium() {
  try {
    accessSync(PROGRAM, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const launch = () => chromium.launch({ executablePath: PROGRAM, headless: true, args: ARGS });
