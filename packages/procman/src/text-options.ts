// How explanations are written to standard output.

import { paintForTerminal, type WalkTextOptions } from "@hemi/hemi";

export function textOptions(): WalkTextOptions {
  // hasColors() also considers NO_COLOR and the terminal.
  const isColored = process.stdout.isTTY && process.stdout.hasColors();
  return isColored ? { paint: paintForTerminal } : {};
}
