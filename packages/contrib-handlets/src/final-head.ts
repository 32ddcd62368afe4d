// Changes to the head of an answer that another handlet, or nobody, will give.

import type { Response } from "@hemi/internal";

/**
 * Calls back when the head is final, after all revisers, whoever answers. Fields that are set at once would be lost where an error
 * page takes the place of the answer. `path` is the component's, for the log.
 */
export function changeFinalHead(resp: Response, path: string, change: () => void): void {
  resp.addHook({
    rank: 0,
    path,
    hook() {
      change();
      return undefined;
    },
  });
}

/** Does the component of that path so already? */
export function changesFinalHead(resp: Response, path: string): boolean {
  return resp.isHookedBy(path);
}
