// The hint behind an error about an unknown name.

import { nearestNames } from "@hemi/common";

/** `did you mean .hostnames?`, or `undefined` if nothing known is near. `show` puts the marks around a name. */
export function didYouMean(name: string, known: Iterable<string>, show: (name: string) => string): string | undefined {
  const near = nearestNames(name, known).map(show);
  return near.length === 0 ? undefined : `did you mean ${near.join(" or ")}?`;
}
