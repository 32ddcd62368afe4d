// Changes to the head of an answer that another handlet, or nobody, will give.

import type { Response } from "@hemi/internal";

/**
 * Calls back when the head is final, after all revisers, whoever answers. Fields that are set at once would be lost
 * where an error page takes the place of the answer. `by` is the part that does it, `path` that of its component, for
 * the log.
 */
export function changeFinalHead(resp: Response, by: object, path: string, change: () => void): void {
  resp.addHook({
    rank: 0,
    by,
    path,
    hook() {
      change();
      return undefined;
    },
  });
}

/** Does the part so already? */
export function changesFinalHead(resp: Response, by: object): boolean {
  return resp.isHookedBy(by);
}
