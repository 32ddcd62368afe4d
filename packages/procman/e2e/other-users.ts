// What tests need that start processes as another user.

import { lstatSync } from "node:fs";
import { dirname } from "node:path";

/** Skips a test where the checkout is below a folder that other users may not enter: nothing of it can run as them. */
export function needsOtherUsers(context: { skip(reason: string): void }): void {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if ((lstatSync(folder).mode & 0o001) === 0) return context.skip(`other users may not enter ${folder}`);
  }
}
